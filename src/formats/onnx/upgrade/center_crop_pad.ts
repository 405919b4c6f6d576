/**
 * CenterCropPad (opset 18).
 *
 * @module
 */

import { intsAttr, type Node } from "../../../ir/graph.ts";
import { Chain } from "./chain.ts";
import { type Context, refuse } from "./context.ts";
import { numbersOf } from "../../../ir/tensor.ts";

/** A Slice of what is too long, then a Pad of what is too short; the odd element is at the end. */
export function centerCropPad(n: Node, c: Context): readonly Node[] {
  const x = n.inputs[0] ?? "";
  const { shape } = c.fact(x);
  const target = c.constant(n.inputs[1] ?? "");
  if (target === undefined) {
    throw refuse(n, "the target shape is computed at run time", "It must be a constant.");
  }
  if (shape === undefined) throw refuse(n, "the rank of the input is not known");
  const axes = n.attrs.has("axes")
    ? intsAttr(n, "axes").map((a) => a < 0 ? a + shape.length : a)
    : shape.map((_, i) => i);
  const wanted = Array.from(numbersOf(target));
  if (wanted.length !== axes.length || wanted.some((d) => d < 0)) {
    throw refuse(n, "the target shape does not fit the axes");
  }
  if (axes.some((a) => (shape[a] ?? -1) < 0)) {
    throw refuse(n, "the input size is not known", "Fix the input shape.");
  }
  const starts: number[] = [], ends: number[] = [];
  const pads = new Array<number>(2 * shape.length).fill(0);
  axes.forEach((a, i) => {
    const size = shape[a]!, want = wanted[i]!;
    const cut = Math.max(0, size - want) >> 1;
    starts.push(cut);
    ends.push(cut + Math.min(size, want));
    const missing = Math.max(0, want - size);
    pads[a] = missing >> 1;
    pads[a + shape.length] = missing - (missing >> 1);
  });
  const chain = new Chain(n, c);
  const cut = chain.add("Slice", [
    x,
    chain.ints("starts", starts),
    chain.ints("ends", ends),
    chain.ints("axes", axes),
  ]);
  if (pads.some((p) => p > 0)) chain.add("Pad", [cut, chain.ints("pads", pads)]);
  return chain.end();
}
