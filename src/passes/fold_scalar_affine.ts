/**
 * Mul, Add, Sub, Div and Neg with constants disappear into the weights next to them.
 *
 * @module
 */

import type { Node } from "../ir/graph.ts";
import { type Affine, inputSide } from "./fold_batch_norm.ts";
import { absorbAfter, absorbBefore, LINEAR, type Linear, linearOf, takesShift } from "./linear.ts";
import { alongAxis, withConstant } from "./match.ts";
import { nodePass } from "./pass.ts";
import type { Rewriter } from "./rewriter.ts";

interface Match {
  readonly affine: Affine;
  readonly x: string;
  readonly before?: Linear;
  readonly readers?: readonly Linear[];
}

/** A node as y = x * scale + shift along `axis` of a tensor of shape `shape`. */
export function affineOf(
  w: Rewriter,
  n: Node,
  shape: readonly number[],
  axis: number,
): Affine | string {
  const channels = shape[axis]!;
  const fill = (v: number) => new Float64Array(channels).fill(v);
  if (n.op === "Neg") return { scale: fill(-1), shift: fill(0) };
  const c = withConstant(w, n);
  if (c === undefined) return "it has no constant operand, or the constant enlarges the result";
  const values = alongAxis(c.constant, shape, axis);
  if (values === undefined) return "its constant is neither a scalar nor one value per channel";
  switch (n.op) {
    case "Mul":
      return { scale: values, shift: fill(0) };
    case "Add":
      return { scale: fill(1), shift: values };
    case "Sub":
      return c.at === 0
        ? { scale: fill(1), shift: values.map((v) => -v) }
        : { scale: fill(-1), shift: values };
    default:
      if (c.at === 1) return "it divides by the activation";
      if (values.some((v) => v === 0)) return "it divides by zero";
      return { scale: values.map((v) => 1 / v), shift: fill(0) };
  }
}

/**
 * A scale or shift, scalar or per channel, next to a linear operator goes into its weights and bias.
 * Behind the operator always; before it the scale always, the shift only where no padding is.
 */
export const foldScalarAffine = nodePass<Match>({
  name: "fold_scalar_affine",
  doc: `Conv -> Mul(c) -> Add(d)       =>  Conv
Mul(c) -> Conv                     =>  Conv
Add(d) -> Conv (no padding)        =>  Conv`,
  ops: ["Mul", "Add", "Sub", "Div", "Neg"],
  check(w, n) {
    const out = n.outputs[0]!;
    if (!w.isFloat(out)) return undefined;
    const x = n.op === "Neg" ? n.inputs[0]! : withConstant(w, n)?.x;
    if (x === undefined) return undefined;
    const shape = w.shape(x);
    if (shape === undefined || shape.length < 2) return undefined;

    let why = "no operator with weights makes its input";
    const p = w.producerOf(x, ...LINEAR);
    if (p !== undefined) {
      if (w.onlyUser(x) === undefined) why = `the result of ${p.name} is shared: ${w.whyShared(x)}`;
      else {
        const l = linearOf(w, p);
        if (typeof l === "string") why = l;
        else {
          const affine = affineOf(w, n, shape, l.axis);
          if (typeof affine === "string") return affine;
          if (takesShift(w, p) || affine.shift.every((v) => v === 0)) {
            return { affine, x, before: l };
          }
          why = `${p.name} is a MatMul of rank above 2, which has no bias`;
        }
      }
    }

    const affine = affineOf(w, n, shape, 1);
    if (typeof affine === "string") return p === undefined ? affine : `${why}; ${affine}`;
    if (w.pinned(out)) return `${why}; ${w.whyShared(out)}`;
    const shifts = affine.shift.some((v) => v !== 0);
    const readers: Linear[] = [];
    for (const user of w.users(out)) {
      const l = inputSide(w, user, out, shifts);
      if (typeof l === "string") return `${why}; ${l}`;
      readers.push(l);
    }
    return readers.length === 0 ? why : { affine, x, readers };
  },
  rewrite(w, n, m) {
    const { scale, shift } = m.affine;
    if (m.before !== undefined) {
      w.remove(n);
      absorbAfter(w, m.before, scale, shift, n.outputs[0]!);
      return;
    }
    for (const l of m.readers ?? []) absorbBefore(w, l, scale, shift, m.x);
    w.remove(n);
  },
});
