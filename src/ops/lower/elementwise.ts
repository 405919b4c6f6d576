/**
 * Integer lowering of Add, Sub, Mul and Div by a constant (docs/arithmetic.md section 5).
 *
 * @module
 */

import { elementCount, i64, numbersOf, tensor } from "../../ir/tensor.ts";
import { padShape } from "../broadcast.ts";
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

/**
 * x as [outer, channels, inner, 1] so that the slopes differ along the channels alone; undefined where they
 * differ along axes that are no neighbours.
 */
function slopeView(x: readonly number[], slope: readonly number[]): number[] | undefined {
  const s = padShape(slope, x.length);
  const varies = x.flatMap((_, i) => s[i] === 1 ? [] : [i]);
  const [from, to] = [varies[0] ?? 0, (varies.at(-1) ?? -1) + 1];
  if (x.slice(from, to).some((d, i) => d !== s[from + i])) return undefined;
  return [
    elementCount(x.slice(0, from)),
    elementCount(x.slice(from, to)),
    elementCount(x.slice(to)),
    1,
  ];
}

/** PRelu with slopes per channel, one slope, or slopes along other neighbouring axes. */
export const preluQuant: QuantSpec = {
  kind: "active",
  scale: "own",
  limits(c) {
    const slope = c.constant(1);
    if (slope === undefined) return "its slope is computed, not constant";
    return slopeView(c.need(0).shape, slope.shape) === undefined
      ? "its slopes differ along axes that are no neighbours"
      : undefined;
  },
  lower(c) {
    const given = c.input(0), y = c.output();
    const slope = numbersOf(c.constant(1)!);
    const view = slopeView(given.shape, c.constant(1)!.shape)!;
    const { length: rank } = given.shape;
    // One slope, or one per channel of a map, needs no other view.
    const plain = rank === 4 &&
      (slope.length === 1 || view[1] === given.shape[1] && view[0] === given.shape[0]);
    const as = (from: string, shape: readonly number[], to: string) =>
      c.emit("Reshape", [from, c.store("view", i64(shape))], [to], {}, "");
    const x = plain ? given : { ...given, name: c.temp("viewed", given.dtype, view), shape: view };
    if (!plain) as(given.name, view, x.name);
    const channels = x.shape[1]!;
    const out = plain ? y.name : c.temp("activated", y.dtype, view);
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
      [out],
      settleWith(c.range, y.dtype),
      { x_zero: x.zero, y_zero: y.zero },
    );
    if (!plain) as(out, y.shape, y.name);
  },
};
