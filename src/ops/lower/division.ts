/**
 * Integer lowering of Div. A constant divisor has become a factor before.
 *
 * @module
 */

import { tensor } from "../../ir/tensor.ts";
import { lut8to16, multiplierOf, qmaxOf } from "../arithmetic.ts";
import { settleWith } from "../hz/types.ts";
import type { QuantSpec } from "../op.ts";
import { emitForm, int32, shift, storeFactor } from "./common.ts";

/** A factor as m * 2^-s where s may be negative: nothing is shifted, the division takes it whole. */
function anyFactor(f: number): { m: number; s: number } {
  const up = Math.max(0, Math.ceil(Math.log2(f)) + 1);
  const k = multiplierOf(f * 2 ** -up);
  return { m: k.m, s: k.s - up };
}

/** a times the reciprocal of b by table where b is int8, else one rounded division. */
export const divQuant: QuantSpec = {
  kind: "active",
  scale: "own",
  fusesActivation: true,
  limits: (c) =>
    c.constant(0) !== undefined && c.constant(1) !== undefined
      ? "both inputs are constants"
      : undefined,
  lower(c) {
    const a = c.input(0), b = c.input(1), y = c.output();
    const settled = settleWith(c.range, y.dtype);
    if (b.dtype === "int16") {
      const k = anyFactor(a.scale / (b.scale * y.scale));
      const names = [a.name, b.name, c.store("m", int32(k.m)), c.store("s", shift(k.s))];
      emitForm(c, "HzSElementwiseDiv", names, [y.name], settled, {
        a_zero: a.zero,
        y_zero: y.zero,
      });
      return;
    }
    // The largest reciprocal is that of one step; x / 0 counts as x / step.
    const scale = Math.fround(1 / b.scale / qmaxOf("int16"));
    const table = lut8to16((v) => v === 0 ? 1 / b.scale : 1 / v, b, { scale });
    const r = c.temp("reciprocal", "int16", b.shape);
    c.emit("HzLut", [b.name, c.store("table", tensor("int16", [256], table))], [r]);
    emitForm(
      c,
      "HzSElementwiseMul",
      [a.name, r, ...storeFactor(c, a.scale * scale / y.scale)],
      [y.name],
      settled,
      { a_zero: a.zero, b_zero: 0, y_zero: y.zero },
    );
  },
};
