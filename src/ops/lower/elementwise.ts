/**
 * Integer lowering of Add, Sub, Mul and Div by a constant (docs/arithmetic.md section 5).
 *
 * @module
 */

import { numbersOf, tensor } from "../../ir/tensor.ts";
import { settleWith } from "../hz/types.ts";
import type { LowerContext, QuantSpec, RuleContext } from "../op.ts";
import { emitForm, int32, multiplier, multipliers, shift, storeFactor } from "./common.ts";

function twoInputs(c: RuleContext): string | undefined {
  if (c.constant(0) !== undefined && c.constant(1) !== undefined) {
    return "both inputs are constants";
  }
  for (const i of [0, 1]) {
    const k = c.constant(i);
    if (k !== undefined && !numbersOf(k).every((v) => Number.isFinite(v))) {
      return `constant input ${i} is not finite`;
    }
  }
  return undefined;
}

function sum(c: LowerContext, sign: 1 | -1): void {
  const a = c.input(0), b = c.input(1), y = c.output();
  const [k1, k2] = multipliers(c, [a.scale / y.scale, sign * b.scale / y.scale]);
  emitForm(
    c,
    "HzSElementwiseAdd",
    [
      a.name,
      b.name,
      c.store("m1", int32(k1!.m)),
      c.store("m2", int32(k2!.m)),
      c.store("shift", shift(k1!.s)),
    ],
    [y.name],
    settleWith(c.range, y.dtype),
    { a_zero: a.zero, b_zero: b.zero, y_zero: y.zero },
  );
}

const active = {
  kind: "active",
  scale: "own",
  fusesActivation: true,
  limits: twoInputs,
} as const;

export const addQuant: QuantSpec = { ...active, lower: (c) => sum(c, 1) };
export const subQuant: QuantSpec = { ...active, lower: (c) => sum(c, -1) };

export const mulQuant: QuantSpec = {
  ...active,
  lower(c) {
    const a = c.input(0), b = c.input(1), y = c.output();
    emitForm(
      c,
      "HzSElementwiseMul",
      [a.name, b.name, ...storeFactor(c, a.scale * b.scale / y.scale, "m", "shift")],
      [y.name],
      settleWith(c.range, y.dtype),
      { a_zero: a.zero, b_zero: b.zero, y_zero: y.zero },
    );
  },
};

/** PRelu with slopes per channel or one slope. */
export const preluQuant: QuantSpec = {
  kind: "active",
  scale: "own",
  limits(c) {
    const slope = c.constant(1);
    if (slope === undefined) return "its slope is computed, not constant";
    const x = c.need(0).shape;
    if (x.length !== 4) return `its input has rank ${x.length}, the integer form takes rank 4`;
    const lead = slope.shape.length === 4 ? slope.shape[0] : 1;
    const channels = slope.shape[slope.shape.length - 3] ?? 1;
    if (
      slope.data.length !== 1 &&
      (lead !== 1 || slope.data.length !== x[1] || channels !== x[1])
    ) {
      return "its slope is not one value or one per channel";
    }
    return undefined;
  },
  lower(c) {
    const x = c.input(0), y = c.output();
    const slope = numbersOf(c.constant(1)!);
    const channels = x.shape[1]!;
    const kp = multiplier(c, x.scale / y.scale);
    const kn = Array.from(
      { length: channels },
      (_, i) => multiplier(c, x.scale * slope[slope.length === 1 ? 0 : i]! / y.scale),
    );
    emitForm(
      c,
      "HzPRelu",
      [
        x.name,
        c.store("mp", int32(kp.m)),
        c.store("sp", shift(kp.s)),
        c.store("mn", tensor("int16", [channels], Int16Array.from(kn, (k) => k.m))),
        c.store("sn", tensor("int8", [channels], Int8Array.from(kn, (k) => k.s))),
      ],
      [y.name],
      settleWith(c.range, y.dtype),
      { x_zero: x.zero, y_zero: y.zero },
    );
  },
};
