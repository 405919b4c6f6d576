/**
 * The constants of the arithmetic contract (`docs/arithmetic.md`): scales, multipliers, tables. All in
 * binary64, done once by the converter.
 *
 * @module
 */

import { BpuError } from "../errors.ts";

/** Integer types of quantized tensors. */
export type QType = "int8" | "int16";

/** Largest magnitude of the positive side: 127 or 32767. */
export function qmaxOf(dtype: QType): number {
  return dtype === "int8" ? 127 : 32767;
}

/** Smallest value: -128 or -32768. */
export function qminOf(dtype: QType): number {
  return dtype === "int8" ? -128 : -32768;
}

/** Half away from zero (section 1). */
export function roundAway(v: number): number {
  return Math.sign(v) * Math.floor(Math.abs(v) + 0.5) + 0;
}

/** Smallest scale of any tensor (section 1). */
export const MIN_SCALE = 1e-8;

/** float32 scale of a symmetric tensor with threshold T (section 1). */
export function scaleOf(threshold: number, dtype: QType): number {
  return Math.fround(Math.max(threshold / qmaxOf(dtype), MIN_SCALE));
}

/** What an asymmetric tensor represents: min <= 0 <= max. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** float32 scale of an asymmetric int8 tensor (section 1). */
export function asymmetricScale(r: Range): number {
  return Math.fround(Math.max((r.max - r.min) / 255, MIN_SCALE));
}

/** Zero point of an asymmetric int8 tensor (section 1). */
export function zeroOf(r: Range): number {
  return Math.min(Math.max(roundAway(-128 - r.min / asymmetricScale(r)), -128), 127);
}

/** Largest |q - zero| of an integer type. */
export function reachOf(dtype: QType, zero: number): number {
  return dtype === "int8" ? Math.max(128 + zero, 127 - zero) : 32768;
}

/** Quantize (section 2): half away from zero, saturated. */
export function quantizeValue(
  x: number,
  scale: number,
  zero: number,
  qmin: number,
  qmax: number,
): number {
  if (Number.isNaN(x)) return zero;
  return Math.min(Math.max(roundAway(x / scale) + zero, qmin), qmax);
}

/** A real factor as m * 2^-s (section 3). */
export interface Multiplier {
  readonly m: number;
  readonly s: number;
}

/** Largest right shift. */
const MAX_SHIFT = 62;

/**
 * m and s of a real factor (section 3). A negative factor has a negative m; zero gives m = 0.
 * Throws BpuError("numeric") when the factor is 2^15 or more.
 *
 * @example
 * ```ts
 * import { multiplierOf } from "./arithmetic.ts";
 * console.log(multiplierOf(0.5)); // { m: 16384, s: 15 }
 * ```
 */
export function multiplierOf(factor: number): Multiplier {
  const [a] = multipliersOf([factor]);
  return { m: a!.m, s: a!.s };
}

/** Multipliers of several factors that share one shift: that of the largest magnitude. */
export function multipliersOf(factors: readonly number[]): Multiplier[] {
  let big = 0;
  for (const f of factors) {
    if (!Number.isFinite(f)) throw new BpuError("numeric", `a scale ratio is ${f}`);
    big = Math.max(big, Math.abs(f));
  }
  if (big === 0) return factors.map(() => ({ m: 0, s: 0 }));
  let s = 14 - Math.floor(Math.log2(big));
  // log2 of a value just below a power of two may round up: settle on the exact exponent.
  while (big * 2 ** s >= 2 ** 15) s--;
  while (big * 2 ** s < 2 ** 14) s++;
  if (roundAway(big * 2 ** Math.min(s, MAX_SHIFT)) === 2 ** 15) s--;
  if (s < 0) {
    throw new BpuError("numeric", `a scale ratio of ${big} is too large (2^15 or more)`);
  }
  s = Math.min(s, MAX_SHIFT);
  return factors.map((f) => ({ m: roundAway(f * 2 ** s), s }));
}

/** floor(acc * m * 2^-s + 0.5), exact for |acc| < 2^31 and |m| < 2^15 (section 3). */
export function requantValue(acc: number, k: Multiplier): number {
  return Math.floor(acc * (k.m * 2 ** -k.s) + 0.5);
}

/**
 * f at the middle of what q stands for; where f is not defined there (Asin next to 1), at the lower or
 * upper end.
 */
function valueAt(
  f: (x: number) => number,
  x: { readonly scale: number; readonly zero: number },
  q: number,
): number {
  const v = f(x.scale * (q - x.zero));
  if (!Number.isNaN(v)) return v;
  const low = f(x.scale * (q - x.zero - 0.5));
  return Number.isNaN(low) ? f(x.scale * (q - x.zero + 0.5)) : low;
}

/** 256-entry table of an int8 function, indexed by q & 255 (section 6). */
export function lut8(
  f: (x: number) => number,
  x: { scale: number; zero: number },
  y: { scale: number; zero: number; qmin?: number; qmax?: number },
): Int8Array {
  const t = new Int8Array(256);
  for (let q = -128; q < 128; q++) {
    const v = valueAt(f, x, q);
    t[q & 255] = quantizeValue(v, y.scale, y.zero, y.qmin ?? -128, y.qmax ?? 127);
  }
  return t;
}

/** 256-entry int16 table of an int8 function, indexed by q & 255. */
export function lut8to16(
  f: (x: number) => number,
  x: { scale: number; zero: number },
  y: { scale: number; qmin?: number; qmax?: number },
): Int16Array {
  const t = new Int16Array(256);
  for (let q = -128; q < 128; q++) {
    const v = valueAt(f, x, q);
    t[q & 255] = quantizeValue(v, y.scale, 0, y.qmin ?? -32768, y.qmax ?? 32767);
  }
  return t;
}

/** 513-entry table of an int16 function (section 6). */
export function lut16(
  f: (x: number) => number,
  x: { scale: number },
  y: { scale: number; qmin?: number; qmax?: number },
): Int16Array {
  const t = new Int16Array(513);
  for (let i = 0; i <= 512; i++) {
    t[i] = quantizeValue(
      f(x.scale * (128 * i - 32768)),
      y.scale,
      0,
      y.qmin ?? -32768,
      y.qmax ?? 32767,
    );
  }
  return t;
}
