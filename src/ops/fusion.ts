/**
 * Rules about what stands before an operator.
 *
 * @module
 */

import type { Node } from "../ir/graph.ts";
import { producerOf, typeNear } from "./context.ts";
import type { Rule, RuleContext } from "./op.ts";
import { rule } from "./rules.ts";

const convLike: ReadonlySet<string> = new Set(["Conv", "ConvTranspose", "Gemm", "MatMul"]);
/** What a convolution takes along with it on the way to the operator in question. */
const joined: ReadonlySet<string> = new Set([
  "Add",
  "BatchNormalization",
  "Clip",
  "Dropout",
  "Flatten",
  "Identity",
  "PRelu",
  "Relu",
  "Reshape",
  "Squeeze",
]);

/** The convolution that feeds input i through nothing but operators that are fused into it. */
export function precedingConv(c: RuleContext, i = 0): Node | undefined {
  let stack: (Node | undefined)[] = [producerOf(c, i)];
  for (let steps = 0; steps < 8 && stack.length > 0; steps++) {
    const next: (Node | undefined)[] = [];
    for (const n of stack) {
      if (n === undefined) continue;
      if (convLike.has(n.op)) return n;
      if (!joined.has(n.op)) continue;
      next.push(producerOf(c, 0, n));
      if (n.op === "Add") next.push(producerOf(c, 1, n));
    }
    stack = next;
  }
  return undefined;
}

/** Runs on the BPU only as part of the convolution before it. */
export const fusedIntoConv: Rule = rule(
  "fused into the preceding Conv",
  (c) => precedingConv(c) === undefined ? "there is no preceding Conv to fuse it into" : undefined,
);

const flattening: ReadonlySet<string> = new Set([
  "Dropout",
  "Flatten",
  "Identity",
  "Reshape",
  "Squeeze",
]);

/** [C, H, W] of the feature map that a fully connected layer reads: the shape before it was flattened. */
export function featureBefore(c: RuleContext, i: number): readonly [number, number, number] {
  const flat = c.need(i).shape;
  const length = flat[flat.length - 1] ?? 1;
  let at: Node | undefined = c.node;
  let input = i;
  for (let steps = 0; steps < 8; steps++) {
    const before: Node | undefined = producerOf(c, input, at);
    if (before === undefined || !flattening.has(before.op)) break;
    at = before;
    input = 0;
    const shape = typeNear(c, before.inputs[0] ?? "")?.shape;
    if (shape?.length === 4 && shape[1]! * shape[2]! * shape[3]! === length) {
      return [shape[1]!, shape[2]!, shape[3]!];
    }
  }
  return [length, 1, 1];
}
