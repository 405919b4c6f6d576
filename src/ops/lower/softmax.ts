/**
 * Integer lowering of Softmax (docs/arithmetic.md section 9).
 *
 * @module
 */

import { attr, intAttr } from "../../ir/graph.ts";
import { tensor } from "../../ir/tensor.ts";
import { softmaxExps } from "../../kernels/softmax.ts";
import { roundAway } from "../arithmetic.ts";
import { reciprocalTable } from "../hz/hz_softmax.ts";
import { settleWith } from "../hz/types.ts";
import type { LowerContext, QTensor, QuantSpec } from "../op.ts";
import { emitForm, int32s, storeFactor } from "./common.ts";

/** Scale of probabilities before they take the calibrated one: int16 in steps of 2^-15. */
const FINE = 2 ** -15;

/** exp(-scale * step * i) in steps of 2^-15. */
function exponentials(scale: number, step: number): Int32Array {
  return Int32Array.from(
    { length: 256 },
    (_, i) => roundAway(Math.exp(-scale * step * i) * 2 ** 15),
  );
}

/** Emits a softmax of `x` over `axis` into a tensor of scale 2^-15. */
function emitSoftmax(c: LowerContext, x: QTensor, axis: number, out: string): void {
  const axes = { axes: attr.ints([axis]), ...settleWith({ qmin: 0, qmax: 32767 }, "int16") };
  if (x.dtype === "int8") {
    c.emit(
      "HzSoftmax",
      [
        x.name,
        c.store("exponentials", tensor("int16", [256], softmaxExps(x.scale))),
        c.store("reciprocals", reciprocalTable),
      ],
      [out],
      { ...axes, h: attr.int(0) },
    );
    return;
  }
  c.emit(
    "HzSoftmaxI16",
    [
      x.name,
      c.store("coarse", int32s(exponentials(x.scale, 256))),
      c.store("fine", int32s(exponentials(x.scale, 1))),
    ],
    [out],
    axes,
  );
}

/** On the CPU unless asked for; in steps of 2^-15, then in the calibrated scale. */
export const softmaxQuant: QuantSpec = {
  kind: "manual",
  scale: "own",
  outputBound: 1,
  limits(c) {
    const shape = c.need(0).shape;
    const axis = intAttr(c.node, "axis", -1);
    const size = shape[axis < 0 ? axis + shape.length : axis] ?? 0;
    if (size < 1) return "its axis is empty";
    return size > 65536 ? `a sum over ${size} exponentials does not fit int32` : undefined;
  },
  lower(c) {
    const x = c.input(0), y = c.output();
    const at = intAttr(c.node, "axis", -1);
    const axis = at < 0 ? at + x.shape.length : at;
    if (y.dtype === "int16" && y.scale === FINE) {
      emitSoftmax(c, x, axis, y.name);
      return;
    }
    const fine = c.temp("fine", "int16", x.shape);
    emitSoftmax(c, x, axis, fine);
    emitForm(
      c,
      "HzRequantize",
      [fine, ...storeFactor(c, FINE / y.scale)],
      [y.name],
      settleWith(c.range, y.dtype),
      { x_zero: 0, y_zero: y.zero },
    );
  },
};
