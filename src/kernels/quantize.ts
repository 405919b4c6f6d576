/**
 * Between float32 and integers (docs/arithmetic.md section 2).
 *
 * @module
 */

import type { Arena } from "./arena.ts";
import {
  aligned,
  atLeast,
  bytesOf,
  codeOf,
  expect,
  type IntType,
  limits,
  refuse,
  region,
  zeroPoint,
} from "./check.ts";

/** One scale, or one per last-axis channel. Each is a float32 value, positive and finite. */
export type Scales = number | Float32Array;

/** Rounding of {@linkcode quantize}: the contract's half away from zero, or half to even. */
export type Rounding = "away" | "even";

/** Arguments of {@linkcode quantize}; n is a multiple of the number of scales. */
export interface QuantizeArgs {
  /** float32[n]. */
  readonly x: number;
  readonly y: number;
  readonly n: number;
  readonly yType: IntType;
  readonly scale: Scales;
  readonly zero: number;
  readonly qmin: number;
  readonly qmax: number;
  readonly rounding?: Rounding;
}

/** y = clamp(roundAway(f64(x) / f64(scale)) + zero, qmin, qmax); NaN counts as 0, infinities saturate. */
export function quantize(arena: Arena, g: QuantizeArgs): void {
  const k = "quantize";
  buffers(arena, k, g.x, 4, g.y, bytesOf[g.yType], g.n);
  limits(k, g.yType, g.zero, g.qmin, g.qmax);
  withScales(arena, k, g.n, g.scale, (outer, channels, at, per) =>
    // deno-fmt-ignore
    arena.core.quantizeF32(
      g.x, g.y, codeOf[g.yType], outer, channels, at, per, g.zero, g.qmin, g.qmax,
      g.rounding === "even" ? 1 : 0,
    ));
}

/** Arguments of {@linkcode dequantize}. */
export interface DequantizeArgs {
  readonly x: number;
  /** float32[n]. */
  readonly y: number;
  readonly n: number;
  readonly xType: IntType;
  readonly scale: Scales;
  readonly zero: number;
}

/** y = f32(f32(x - zero) * scale). */
export function dequantize(arena: Arena, g: DequantizeArgs): void {
  const k = "dequantize";
  buffers(arena, k, g.x, bytesOf[g.xType], g.y, 4, g.n);
  zeroPoint(k, g.xType, g.zero);
  withScales(arena, k, g.n, g.scale, (outer, channels, at, per) => {
    arena.core.dequantizeF32(g.x, codeOf[g.xType], g.y, outer, channels, at, per, g.zero);
  });
}

/** Arguments of {@linkcode fakeQuantize}; x and y are float32[n] and may be the same. */
export interface FakeQuantizeArgs {
  readonly x: number;
  readonly y: number;
  readonly n: number;
  readonly scale: Scales;
  readonly zero: number;
  /** At most 24 bits apart, so that f32(q - zero) is exact. */
  readonly qmin: number;
  readonly qmax: number;
  readonly rounding?: Rounding;
}

/** y = Dequantize(Quantize(x)). NaN counts as 0. */
export function fakeQuantize(arena: Arena, g: FakeQuantizeArgs): void {
  const k = "fakeQuantize";
  buffers(arena, k, g.x, 4, g.y, 4, g.n);
  limits(k, "int32", g.zero, g.qmin, g.qmax);
  withScales(arena, k, g.n, g.scale, (outer, channels, at, per) =>
    // deno-fmt-ignore
    arena.core.fakeQuantizeF32(
      g.x, g.y, outer, channels, at, per, g.zero, g.qmin, g.qmax, g.rounding === "even" ? 1 : 0,
    ));
}

function buffers(
  arena: Arena,
  k: string,
  x: number,
  xb: number,
  y: number,
  yb: number,
  n: number,
): void {
  atLeast(0, k, { n });
  region(arena, k, "x", x, n * xb);
  region(arena, k, "y", y, n * yb);
  aligned(k, "x", x, xb);
  aligned(k, "y", y, yb);
}

function withScales(
  arena: Arena,
  k: string,
  n: number,
  scale: Scales,
  run: (outer: number, channels: number, at: number, perChannel: number) => void,
): void {
  const scales = typeof scale === "number" ? Float32Array.of(scale) : scale;
  const c = scales.length;
  for (const s of scales) if (!(s > 0 && s < Infinity)) refuse(k, `the scale is ${s}`);
  expect(c > 0 && n % c === 0, k, `${n} elements for ${c} scales`);
  const mark = arena.mark();
  const at = arena.put(scales);
  if (c === 1) run(1, n, at, 0);
  else run(n / c, c, at, 1);
  arena.release(mark);
}
