/**
 * Normalizations of the `com.microsoft` domain.
 *
 * @module
 */

import { attr, floatAttr, intAttr, type Node } from "../../../ir/graph.ts";
import { Chain } from "./chain.ts";
import { addScalarLike, type Context, refuse } from "./context.ts";

/** x / sqrt(mean(x^2) + epsilon) * scale over the last axes: what it makes, y and 1 / sqrt(...). */
function rms(
  chain: Chain,
  n: Node,
  c: Context,
  x: string,
  scale: string,
  epsilon: number,
): { y: string; inverse: string } {
  const axis = intAttr(n, "axis", -1);
  const rank = axis === -1 ? 1 : c.fact(x).rank;
  if (rank === undefined) {
    throw refuse(n, `the number of axes of its input, behind axis ${axis}, is not known`);
  }
  const count = axis < 0 ? -axis : rank - axis;
  const axes = Array.from({ length: count }, (_, i) => i - count);
  const mean = chain.add("ReduceMean", [chain.add("Mul", [x, x])], { axes: attr.ints(axes) });
  const shifted = chain.add("Add", [mean, addScalarLike(n, c, "epsilon", epsilon, x)]);
  const root = chain.add("Sqrt", [shifted]);
  const inverse = chain.add("Reciprocal", [root]);
  const y = chain.add("Mul", [chain.add("Mul", [x, inverse]), scale]);
  return { y, inverse };
}

/** SimplifiedLayerNormalization: without mean and bias. Outputs y and the inverse deviation. */
export function simplifiedLayerNormalization(n: Node, c: Context): readonly Node[] {
  const [x = "", scale = ""] = n.inputs;
  const chain = new Chain(n, c);
  const { y, inverse } = rms(chain, n, c, x, scale, floatAttr(n, "epsilon", 1e-5));
  return chain.as([y, inverse]);
}

/**
 * (Simplified) layer normalization of x + skip + bias over the last axis. Outputs y, mean, inverse
 * deviation and the sum.
 */
export function skipLayerNormalization(n: Node, c: Context): readonly Node[] {
  const simplified = n.op === "SkipSimplifiedLayerNormalization";
  const [x = "", skip = "", gamma = ""] = n.inputs;
  const beta = simplified ? "" : n.inputs[3] ?? "";
  const bias = n.inputs[simplified ? 3 : 4] ?? "";
  const epsilon = floatAttr(n, "epsilon", 1e-12);
  const chain = new Chain(n, c);
  let sum = chain.add("Add", [x, skip]);
  if (bias !== "") sum = chain.add("Add", [sum, bias]);
  if (simplified) {
    const { y, inverse } = rms(chain, n, c, sum, gamma, epsilon);
    return chain.as([y, undefined, inverse, sum]);
  }
  const made = chain.many(
    "LayerNormalization",
    beta === "" ? [sum, gamma] : [sum, gamma, beta],
    wanted(n, c, 3),
    { epsilon: attr.float(epsilon), axis: attr.int(-1) },
  );
  return chain.as([made[0], made[1], made[2], sum]);
}

/** How many of the first `most` outputs there must be: up to the last that is read. */
function wanted(n: Node, c: Context, most: number): number {
  let count = 1;
  for (let i = 1; i < most; i++) {
    const t = n.outputs[i] ?? "";
    if (t !== "" && c.isUsed(t)) count = i + 1;
  }
  return count;
}

/**
 * Layer normalization of word + position (+ segment) embeddings. Outputs y, an index for Attention
 * (which is not supported) and the sum.
 */
export function embedLayerNormalization(n: Node, c: Context): readonly Node[] {
  const [ids = "", segments = "", words = "", places = "", kinds = ""] = n.inputs;
  const [, , , , , gamma = "", beta = "", , at = ""] = n.inputs;
  const index = n.outputs[1] ?? "";
  if (index !== "" && c.isUsed(index)) {
    throw refuse(
      n,
      "its output mask_index is used by a fused attention, which is not supported",
      "Save the model without onnxruntime's extended optimizations.",
    );
  }
  const chain = new Chain(n, c);
  let position: string;
  if (at === "") {
    // Rows 0 .. length - 1: the length is the second axis of the ids.
    const length = chain.add("Slice", [
      chain.add("Shape", [ids]),
      chain.ints("second", [1]),
      chain.ints("third", [2]),
    ]);
    position = chain.add("Slice", [places, chain.ints("first", [0]), length]);
  } else position = chain.add("Gather", [places, at]);
  let sum = chain.add("Add", [chain.add("Gather", [words, ids]), position]);
  if (segments !== "") sum = chain.add("Add", [sum, chain.add("Gather", [kinds, segments])]);
  const y = chain.add("LayerNormalization", [sum, gamma, beta], {
    epsilon: attr.float(floatAttr(n, "epsilon", 1e-12)),
    axis: attr.int(-1),
  });
  return chain.as([y, undefined, sum]);
}
