/**
 * Scalar references of quantize.ts.
 *
 * @module
 */

import { clamp, roundAway } from "./arithmetic_ref.ts";
import type { Rounding, Scales } from "./quantize.ts";

type Ints = Int8Array | Uint8Array | Int16Array | Int32Array;

/** What every element shares. */
export interface QuantizeRefArgs {
  readonly scale: Scales;
  readonly zero: number;
  readonly qmin: number;
  readonly qmax: number;
  readonly rounding?: Rounding;
}

export function quantizeRef(x: Float32Array, y: Ints, g: QuantizeRefArgs): void {
  for (let i = 0; i < x.length; i++) y[i] = one(x[i]!, scaleAt(g.scale, i), g);
}

export function dequantizeRef(x: Ints, y: Float32Array, scale: Scales, zero: number): void {
  for (let i = 0; i < x.length; i++) y[i] = Math.fround(x[i]! - zero) * scaleAt(scale, i);
}

export function fakeQuantizeRef(x: Float32Array, y: Float32Array, g: QuantizeRefArgs): void {
  for (let i = 0; i < x.length; i++) {
    const s = scaleAt(g.scale, i);
    y[i] = Math.fround(one(x[i]!, s, g) - g.zero) * s;
  }
}

function one(x: number, scale: number, g: QuantizeRefArgs): number {
  const v = x / scale;
  const r = Number.isNaN(v) ? 0 : g.rounding === "even" ? roundEven(v) : roundAway(v);
  return clamp(r + g.zero, g.qmin, g.qmax);
}

function roundEven(v: number): number {
  if (Math.abs(v) >= 2 ** 52) return v;
  const f = Math.floor(v), d = v - f;
  return d < 0.5 || (d === 0.5 && f % 2 === 0) ? f : f + 1;
}

function scaleAt(scale: Scales, i: number): number {
  return typeof scale === "number" ? Math.fround(scale) : scale[i % scale.length]!;
}
