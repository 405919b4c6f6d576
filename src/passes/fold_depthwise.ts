/**
 * A 1x1 convolution with one group per channel is a scale and a shift; it disappears into its neighbours.
 *
 * @module
 */

import { intAttr, intsAttr, type Node } from "../ir/graph.ts";
import { numbersOf } from "../ir/tensor.ts";
import { type Affine, inputSide } from "./fold_batch_norm.ts";
import { absorbAfter, absorbBefore, LINEAR, type Linear, linearOf, unpadded } from "./linear.ts";
import { nodePass } from "./pass.ts";
import type { Rewriter } from "./rewriter.ts";

type Match =
  | { readonly affine: Affine; readonly before: Linear }
  | { readonly affine: Affine; readonly readers: readonly Linear[] };

/** Scale and shift of a depthwise 1x1 Conv of stride 1. */
function affineOf(w: Rewriter, n: Node): Affine | undefined {
  const weight = w.constant(n.inputs[1]!);
  if (weight?.dtype !== "float32" || weight.shape.slice(1).some((d) => d !== 1)) return undefined;
  const channels = weight.shape[0]!;
  if (intAttr(n, "group", 1) !== channels || w.shape(n.inputs[0]!)?.[1] !== channels) {
    return undefined;
  }
  if (!unpadded(n) || intsAttr(n, "strides", []).some((s) => s !== 1)) return undefined;
  const given = (n.inputs[2] ?? "") !== "";
  const bias = given ? w.constant(n.inputs[2]!) : undefined;
  if (given && bias === undefined) return undefined;
  return {
    scale: Float64Array.from(numbersOf(weight)),
    shift: bias === undefined ? new Float64Array(channels) : Float64Array.from(numbersOf(bias)),
  };
}

/** Depthwise 1x1 Conv next to Conv, ConvTranspose or Gemm goes into their weights. */
export const foldDepthwise = nodePass<Match>({
  name: "fold_depthwise",
  doc: `Conv -> Conv 1x1 (depthwise)                 =>  Conv
Conv 1x1 (depthwise) -> Conv (no padding)    =>  Conv`,
  ops: ["Conv"],
  check(w, n) {
    const affine = affineOf(w, n);
    if (affine === undefined) return undefined;
    const [x, out] = [n.inputs[0]!, n.outputs[0]!];
    let why = "no operator with weights makes its input";
    const p = w.producerOf(x, ...LINEAR.filter((op) => op !== "MatMul"));
    if (p !== undefined && w.onlyUser(x) === n) {
      const before = linearOf(w, p);
      if (typeof before !== "string") return { affine, before };
      why = before;
    } else if (p !== undefined) why = `the result of ${p.name} is shared: ${w.whyShared(x)}`;
    if (w.pinned(out)) return `${why}; ${w.whyShared(out)}`;
    const shifts = affine.shift.some((v) => v !== 0);
    const readers: Linear[] = [];
    for (const user of w.users(out)) {
      const l = inputSide(w, user, out, shifts);
      if (typeof l === "string") return `${why}; ${l}`;
      readers.push(l);
    }
    return readers.length === 0 ? why : { affine, readers };
  },
  rewrite(w, n, m) {
    const { scale, shift } = m.affine;
    w.remove(n);
    if ("before" in m) absorbAfter(w, m.before, scale, shift, n.outputs[0]!);
    else for (const l of m.readers) absorbBefore(w, l, scale, shift, n.inputs[0]!);
  },
});
