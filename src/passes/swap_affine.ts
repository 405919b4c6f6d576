/**
 * A scale in front of a shift moves behind it where the convolutions behind can take it up.
 *
 * @module
 */

import { type Node, node } from "../ir/graph.ts";
import { f32, type Tensor } from "../ir/tensor.ts";
import { inputSide } from "./fold_batch_norm.ts";
import { affineOf } from "./fold_scalar_affine.ts";
import { withConstant } from "./match.ts";
import { nodePass } from "./pass.ts";

interface Match {
  readonly scaleNode: Node;
  readonly x: string;
  readonly scale: Tensor;
  readonly shift: Tensor;
}

/** Values per channel as a constant that broadcasts over a tensor of this rank. */
function perChannel(values: Float64Array, rank: number): Tensor {
  const uniform = values.every((v) => v === values[0]);
  if (uniform) return f32([], [values[0]!]);
  return f32([values.length, ...new Array<number>(rank - 2).fill(1)], values);
}

/**
 * x * s + t = (x + t / s) * s. The shift cannot pass a padded convolution, the scale can: in this order
 * fold_scalar_affine takes it.
 */
export const swapAffine = nodePass<Match>({
  name: "swap_affine",
  doc: `Mul(s) -> Add(t) -> Conv   =>   Add(t / s) -> Mul(s) -> Conv`,
  ops: ["Add", "Sub"],
  check(w, n) {
    const own = withConstant(w, n);
    if (own === undefined || !w.isFloat(n.outputs[0]!) || (n.op === "Sub" && own.at === 1)) {
      return undefined;
    }
    const scaleNode = w.producerOf(own.x, "Mul", "Div");
    const inner = scaleNode === undefined ? undefined : withConstant(w, scaleNode);
    const shape = w.shape(own.x);
    if (scaleNode === undefined || inner === undefined || shape === undefined) return undefined;
    if (shape.length < 3 || w.onlyUser(own.x) !== n || w.pinned(n.outputs[0]!)) return undefined;
    const [scale, shift] = [affineOf(w, scaleNode, shape, 1), affineOf(w, n, shape, 1)];
    if (typeof scale === "string" || typeof shift === "string") return undefined;
    if (scale.scale.some((v) => Math.abs(v) < 1e-6)) return "its scale is next to zero";
    const users = w.users(n.outputs[0]!);
    for (const user of users) {
      const l = inputSide(w, user, n.outputs[0]!, false);
      if (typeof l === "string") return l;
    }
    if (users.length === 0) return undefined;
    const moved = shift.shift.map((v, c) => v / scale.scale[c]!);
    return {
      scaleNode,
      x: inner.x,
      scale: perChannel(scale.scale, shape.length),
      shift: perChannel(moved, shape.length),
    };
  },
  rewrite(w, n, m) {
    const type = w.type(m.x)!;
    const shifted = w.temp(`${n.name}_shifted`, type);
    w.replace([m.scaleNode, n], [
      node("Add", n.name, [m.x, w.store(`${n.name}_shift`, m.shift)], [shifted]),
      node("Mul", m.scaleNode.name, [shifted, w.store(`${m.scaleNode.name}_scale`, m.scale)], [
        n.outputs[0]!,
      ]),
    ]);
  },
});
