/**
 * What the operator table says about the shapes of MatMul.
 *
 * @module
 */

import { shapeText } from "../ir/tensor.ts";
import { broadcastKinds } from "./broadcast.ts";
import type { Rule, RuleContext } from "./op.ts";
import { first, isFeature, note, outside, rule } from "./rules.ts";

type Shape = readonly number[];
const shapesOf = (c: RuleContext): readonly [Shape, Shape] => [c.need(0).shape, c.need(1).shape];
const upper = (s: Shape): Shape => s.slice(0, -2);
const pairText = (a: Shape, b: Shape): string => `${shapeText(a)} with ${shapeText(b)}`;

/** Which of the dimensions above the lowest two are stretched, as seen from A and from B. */
function stretched(c: RuleContext): { a: boolean[]; b: boolean[] } {
  const [a, b] = shapesOf(c);
  const kinds = broadcastKinds(upper(a), upper(b));
  return { a: kinds.map((k) => k === "a"), b: kinds.map((k) => k === "b") };
}

const mixes = (flags: readonly boolean[]): boolean => flags.includes(true) && flags.includes(false);

/** MatMul on bayes. */
export const matmulOnBayes: readonly Rule[] = [
  note("A and B may have rank other than 4"),
  rule("rank A == rank B", (c) => {
    const [a, b] = shapesOf(c);
    return a.length === b.length ? undefined : `the ranks ${a.length} and ${b.length} differ`;
  }),
  rule("lowest 2 dims (M,K of A; K,N of B) in 1..8192", (c) =>
    first(
      ...shapesOf(c).flatMap((s, i) =>
        s.slice(-2).map((d, k) => outside(`${"AB"[i]} ${i === 0 ? "MK"[k] : "KN"[k]}`, d, 1, 8192))
      ),
    )),
  rule("dims above the lowest 2 in 1..4096", (c) =>
    first(
      ...shapesOf(c).flatMap((s, i) =>
        upper(s).map((d, k) => outside(`${"AB"[i]} dim ${k}`, d, 1, 4096))
      ),
    )),
  note(
    "terms: for a 1 vs non-1 dim pair the 1 is broadcast and the non-1 is not; equal dims are not broadcast",
  ),
  rule(
    "A and B: dims above the lowest 2 all 1 or all non-broadcast (HDMK with H1KN ok; H1MK with 1DKN fails)",
    (c) => {
      const { a, b } = stretched(c);
      return a.includes(true) && b.includes(true)
        ? `both inputs are broadcast (${pairText(...shapesOf(c))})`
        : undefined;
    },
  ),
  rule(
    "A: dims above the lowest 2 cannot mix broadcast and non-broadcast (11MK with HDKN ok; H1MK with HDKN fails)",
    (c) =>
      mixes(stretched(c).a)
        ? `only some upper dimensions of A are broadcast (${pairText(...shapesOf(c))})`
        : undefined,
  ),
  rule(
    "B: if dims above the lowest 2 mix both, the non-broadcast ones must be the contiguous leading dims (BHDMK with B11KN ok; BHDMK with B1DKN fails)",
    (c) => {
      const { b } = stretched(c);
      const from = b.indexOf(true);
      return from >= 0 && b.slice(from).includes(false)
        ? `the dimensions of B that are not broadcast do not come first (${
          pairText(...shapesOf(c))
        })`
        : undefined;
    },
  ),
];

const ones = (s: Shape, count: number): boolean => s.slice(0, count).every((d) => d === 1);
/** Whether s is `lead` ones and then two (or, for `rank` 1, one) free dimensions. */
const isMatrix = (s: Shape, lead: number): boolean => s.length === lead + 2 && ones(s, lead);

/** Role (a): A is a feature map, B a constant. */
function roleA(a: Shape, b: Shape): boolean {
  const K = b.length === 1;
  const KN = isMatrix(b, 0);
  const oneKN = isMatrix(b, 1);
  const oneOneKN = isMatrix(b, 2);
  switch (a.length) {
    case 1:
      return KN || oneKN || oneOneKN;
    case 2:
      return K || KN || oneOneKN;
    case 3:
      return KN || (ones(a, 1) && (K || oneKN));
    case 4:
      return (ones(a, 2) && (K || oneKN || oneOneKN)) || (ones(a, 1) && KN) ||
        (a[0]! > 1 && a[1]! > 1 && KN);
    default:
      return false;
  }
}

function role(c: RuleContext): "a" | "b" | "c" | undefined {
  const [a, b] = [isFeature(c, 0), isFeature(c, 1)];
  return a ? b ? "c" : "a" : b ? "b" : undefined;
}

function roleShapes(which: "a" | "b" | "c", text: string, fits: (a: Shape, b: Shape) => boolean) {
  return rule(text, (c) => {
    if (role(c) !== which) return undefined;
    const [a, b] = shapesOf(c);
    return fits(a, b) ? undefined : `the shapes ${pairText(a, b)} are none that are supported`;
  });
}

/** MatMul on bernoulli2. */
export const matmulOnBernoulli2: readonly Rule[] = [
  rule(
    "input roles, any of: (a) A feature, B constant (b) A constant, B feature (c) A and B features",
    (c) => role(c) === undefined ? "both inputs are constants" : undefined,
  ),
  roleShapes(
    "a",
    "role (a) shapes, any of: (a) K@{KxN,1xKxN,1x1xKxN} (b) MxK@{K,KxN,1x1xKxN} (c) 1xMxK@{K,1xKxN} (d) 1x1xMxK@{K,1xKxN,1x1xKxN} (e) BxMxK@KxN, B>=1 (f) 1xBxMxK@KxN, B>=1 (g) AxBxMxK@KxN, A>1, B>1",
    roleA,
  ),
  roleShapes(
    "b",
    "role (b) shapes: 1xBxMxK@1x1xKxN, B>1",
    (a, b) => a.length === 4 && a[0] === 1 && a[1]! > 1 && isMatrix(b, 2),
  ),
  roleShapes(
    "c",
    "role (c) shapes: 1xBxMxK@1x1xKxN, B>=1",
    (a, b) => a.length === 4 && a[0] === 1 && isMatrix(b, 2),
  ),
];
