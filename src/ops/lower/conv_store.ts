/**
 * Constants of convolutions with constant weights, and their nodes (docs/arithmetic.md section 4).
 *
 * @module
 */

import type { Attr } from "../../ir/graph.ts";
import { tensor } from "../../ir/tensor.ts";
import { MIN_SCALE, reachOf, roundAway } from "../arithmetic.ts";
import { settleWith } from "../hz/types.ts";
import type { LowerContext, QRange, QTensor } from "../op.ts";
import { formOf, multiplier } from "./common.ts";

/** Integer weights, bias and scales of a convolution-like operator. */
export interface ConvConstants {
  /** Same order as the float weights. */
  readonly weight: Int8Array;
  readonly bias: Int32Array;
  /** scale_x * scale_w per output channel, float32. */
  readonly accScales: Float32Array;
  /** Largest sum of |w| * |x - z_x| over the channels; int16 x counts as two parts of at most 255. */
  readonly reach: number;
}

/** Largest bias magnitude in accumulator units (section 4). */
const MAX_BIAS = 2 ** 30;

/**
 * Quantizes weights per output channel. `channelOf` maps a flat weight index to its output channel.
 * Refuses when an accumulator could leave the int32 range.
 */
export function convConstants(
  c: LowerContext,
  x: QTensor,
  weight: ArrayLike<number>,
  bias: ArrayLike<number> | undefined,
  channels: number,
  channelOf: (index: number) => number,
  thresholds?: Float32Array,
): ConvConstants {
  const maxAbs = new Float64Array(channels);
  if (thresholds !== undefined) maxAbs.set(thresholds);
  else {
    for (let i = 0; i < weight.length; i++) {
      const ch = channelOf(i), a = Math.abs(weight[i]!);
      if (a > maxAbs[ch]!) maxAbs[ch] = a;
    }
  }
  const wScale = new Float32Array(channels);
  const q = new Int8Array(weight.length);
  const b = new Int32Array(channels);
  const sums = new Float64Array(channels);
  for (let ch = 0; ch < channels; ch++) {
    let s = Math.max(maxAbs[ch]! / 127, MIN_SCALE);
    const value = Math.abs(bias?.[ch] ?? 0);
    // A near-zero channel with a large bias would overflow int32: widen its scale.
    if (value / (x.scale * s) > MAX_BIAS) s = value / (x.scale * MAX_BIAS);
    if (!Number.isFinite(s)) c.refuse("a weight or bias is not a finite number");
    wScale[ch] = s;
  }
  for (let i = 0; i < weight.length; i++) {
    const ch = channelOf(i);
    const v = Math.min(Math.max(roundAway(weight[i]! / wScale[ch]!), -127), 127);
    q[i] = v;
    sums[ch]! += Math.abs(v);
  }
  const accScales = new Float32Array(channels);
  let maxAbsSum = 0;
  const xMax = x.dtype === "int8" ? reachOf("int8", x.zero) : 255;
  for (let ch = 0; ch < channels; ch++) {
    accScales[ch] = x.scale * wScale[ch]!;
    const v = roundAway((bias?.[ch] ?? 0) / (x.scale * wScale[ch]!));
    b[ch] = v;
    maxAbsSum = Math.max(maxAbsSum, sums[ch]!);
    if (x.dtype === "int8" && Math.abs(v) + sums[ch]! * xMax >= 2 ** 31) {
      c.refuse(`the accumulator of output channel ${ch} does not fit int32`);
    }
  }
  return { weight: q, bias: b, accScales, reach: maxAbsSum * xMax };
}

/** Stores m (int16) and s (int8) per channel and returns their names. */
export function storeMultipliers(c: LowerContext, factors: readonly number[]): [string, string] {
  const list = factors.map((f) => multiplier(c, f));
  const n = list.length;
  return [
    c.store("multiplier", tensor("int16", [n], Int16Array.from(list, (k) => k.m))),
    c.store("shift", tensor("int8", [n], Int8Array.from(list, (k) => k.s))),
  ];
}

/** Scale, zero point and type of a quantized tensor. */
export type Scaled = Pick<QTensor, "scale" | "dtype" | "zero">;

/** A convolution with float weights, ready to be emitted. */
export interface FloatConv {
  readonly x: QTensor;
  /** [O, I / group, ...kernel]. */
  readonly weight: { readonly shape: readonly number[]; readonly values: ArrayLike<number> };
  readonly bias?: ArrayLike<number>;
  readonly thresholds?: Float32Array;
  readonly window: Readonly<Record<string, Attr>>;
  /** Output tensor and its range; int32 output goes to output 0. */
  readonly out: QTensor;
  readonly range: QRange;
  /** `HzSQuantizedConv` or `HzSQuantizedConv3d`. */
  readonly op: string;
}

/** A convolution with its constants stored: emitted once or, in a recurrence, at every step. */
export interface StoredConv {
  readonly op: string;
  /** Names of all inputs behind x. */
  readonly constants: readonly string[];
  readonly attrs: Readonly<Record<string, Attr>>;
}

/** Stores what a convolution needs, in the variant that its sums and types ask for. */
export function storeConv(
  c: LowerContext,
  g: Omit<FloatConv, "out"> & { out: Scaled },
): StoredConv {
  const channels = g.weight.shape[0]!;
  const perChannel = g.weight.values.length / channels;
  const k = convConstants(
    c,
    g.x,
    g.weight.values,
    g.bias,
    channels,
    (i) => Math.floor(i / perChannel),
    g.thresholds,
  );
  const names = [
    c.store("weight", tensor("int8", g.weight.shape, k.weight)),
    c.store("bias", tensor("int32", [channels], k.bias)),
  ];
  const wide = g.x.dtype === "int16";
  // Every partial sum of the float32 form is then an integer below 2^24 (section 10).
  const exact = k.reach <= 2 ** 24;
  if (c.wantsInt32) {
    c.setInt32Output(k.accScales);
    const attrs = {
      ...g.window,
      ...settleWith({ qmin: -(2 ** 31), qmax: 2 ** 31 - 1 }, "int32"),
    };
    const form = formOf(`${g.op}Acc${exact ? "" : "Int"}`, attrs, { x_zero: g.x.zero });
    return { ...form, constants: names };
  }
  const factors = storeMultipliers(c, Array.from(k.accScales, (a) => a / g.out.scale));
  const preprocess = c.node.domain === "horizon" && exact && !wide;
  // The int16 form of three dimensions always sums in integers.
  const whole = !exact && !(wide && g.op.endsWith("3d"));
  const form = formOf(
    preprocess ? "HzSQuantizedPreprocess" : `${g.op}${wide ? "I16" : ""}${whole ? "Int" : ""}`,
    { ...g.window, ...settleWith(g.range, g.out.dtype) },
    { x_zero: g.x.zero, y_zero: g.out.zero },
  );
  return { ...form, constants: [...names, ...factors] };
}

/** Emits a convolution. */
export function emitConv(c: LowerContext, g: FloatConv): void {
  const k = storeConv(c, g);
  c.emit(k.op, [g.x.name, ...k.constants], [g.out.name], k.attrs);
}
