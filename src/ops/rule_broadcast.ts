/**
 * Placement rules about broadcasting.
 *
 * @module
 */

import { elementCount, shapeText } from "../ir/tensor.ts";
import { broadcastKinds, tryBroadcast } from "./broadcast.ts";
import { given } from "./context.ts";
import type { Rule, RuleContext } from "./op.ts";
import { inputsOf, isFeature, rule } from "./rule_base.ts";

const upTo5 =
  "any of: (a) inputs of equal shape (b) input 1 or input 2 scalar (c) broadcast up to rank 5";

/** What every broadcasting operator states for the CPU. */
export const broadcastCpu: Rule = rule(upTo5, (c) => {
  const shapes = inputsOf(c).map(({ type }) => type.shape);
  const [a, b] = shapes;
  if (a === undefined || b === undefined) return undefined;
  const equal = shapes.every((s) => s.length === a.length && s.every((d, i) => d === a[i]));
  if (equal) return undefined;
  if (shapes.some((s) => elementCount(s) === 1)) return undefined;
  const rank = Math.max(...shapes.map((s) => s.length));
  return rank <= 5 ? undefined : `the inputs broadcast at rank ${rank}, which is more than 5`;
});

function pairs(c: RuleContext): { a: readonly number[]; b: readonly number[] }[] {
  const all = inputsOf(c).map(({ type }) => type.shape);
  const list: { a: readonly number[]; b: readonly number[] }[] = [];
  let acc = all[0];
  for (const b of all.slice(1)) {
    if (acc !== undefined) list.push({ a: acc, b });
    acc = acc === undefined ? b : tryBroadcast([acc, b]) ?? acc;
  }
  return list;
}

const shapesText = (a: readonly number[], b: readonly number[]): string =>
  `${shapeText(a)} with ${shapeText(b)}`;

/** Broadcast along N is not possible. Constants and missing leading dimensions have no N. */
export function noBatchBroadcast(text: string): Rule {
  return rule(text, (c) => {
    for (const { a, b } of pairs(c)) {
      const anyConstant = c.node.inputs.some((_, i) => given(c, i) && !isFeature(c, i));
      if (a.length !== b.length || anyConstant) continue;
      if (broadcastKinds(a, b)[0] !== "none") {
        return `the first dimension of ${shapesText(a, b)} is broadcast`;
      }
    }
    return undefined;
  });
}

/** Only one of the inputs may be stretched. */
export function oneSidedBroadcast(text: string): Rule {
  return rule(text, (c) => {
    for (const { a, b } of pairs(c)) {
      const kinds = broadcastKinds(a, b);
      if (kinds.includes("a") && kinds.includes("b")) {
        return `both inputs are broadcast (${shapesText(a, b)})`;
      }
    }
    return undefined;
  });
}

/** Adjacent dimensions of a rank 5 pair that could be merged, from dimension `from`. */
function mergeable(a: readonly number[], b: readonly number[], from: number, stretched: boolean) {
  const kinds = broadcastKinds(a, b);
  for (let i = from; i + 1 < kinds.length; i++) {
    if (kinds[i] === kinds[i + 1] && (stretched || kinds[i] === "none")) return true;
  }
  return false;
}

function rank5(c: RuleContext) {
  return pairs(c).filter(({ a, b }) =>
    Math.max(a.length, b.length) === 5 && broadcastKinds(a, b).some((k) => k !== "none")
  );
}

/** Rank 5 operands fold to rank 4; `from` 1 keeps N by itself. */
export function foldsToRank4(text: string, from: 0 | 1): Rule {
  return rule(text, (c) => {
    for (const { a, b } of rank5(c)) {
      if (!mergeable(a, b, from, true)) return `${shapesText(a, b)} do not fold to rank 4`;
    }
    return undefined;
  });
}

/** The dimensions that fold are not broadcast themselves. */
export function foldsPlainDims(text: string, from: 0 | 1): Rule {
  return rule(text, (c) => {
    for (const { a, b } of rank5(c)) {
      if (mergeable(a, b, from, true) && !mergeable(a, b, from, false)) {
        return `${shapesText(a, b)} fold to rank 4 only along broadcast dimensions`;
      }
    }
    return undefined;
  });
}
