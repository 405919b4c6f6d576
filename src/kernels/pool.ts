/**
 * Max and average pooling on NHWC (docs/arithmetic.md section 7).
 *
 * @module
 */

import type { Arena } from "./arena.ts";
import { aligned, bytesOf, codeOf, expect, limits, region, typeRange, zeroPoint } from "./check.ts";
import {
  checkShape,
  type ConvShape,
  geometry,
  inputElements,
  outputElements,
} from "./conv_shape.ts";
import type { WideInt } from "./elementwise.ts";

/** Geometry of a pool: a {@linkcode ConvShape} without output channels and groups. */
export type PoolShape = Omit<ConvShape, "outC" | "group">;

/** Arguments of {@linkcode maxPool}. */
export interface MaxPoolArgs {
  readonly x: number;
  readonly y: number;
  readonly shape: PoolShape;
  readonly type: "int8" | "int16";
  /** Fused clip; default the type's range. A window without taps gives qmin. */
  readonly qmin?: number;
  readonly qmax?: number;
}

/** Arguments of {@linkcode avgPool}. */
export interface AvgPoolArgs {
  readonly x: number;
  readonly y: number;
  readonly shape: PoolShape;
  readonly xType: "int8" | "int16";
  readonly yType: WideInt;
  readonly xZero: number;
  readonly yZero: number;
  /** int16[kernelH * kernelW + 1] and int8[...]: the factor for each number of taps (index 0 is unused). */
  readonly multipliers: number;
  readonly shifts: number;
  /** Every window uses the factor of kernelH * kernelW. */
  readonly countIncludePad: boolean;
  readonly qmin: number;
  readonly qmax: number;
}

/** The maximum over the taps inside the picture. */
export function maxPool(arena: Arena, g: MaxPoolArgs): void {
  const shape = full("maxPool", g.shape);
  const [lo, hi] = typeRange(g.type);
  const qmin = g.qmin ?? lo, qmax = g.qmax ?? hi;
  buffers(arena, "maxPool", g, shape, g.type, g.type);
  limits("maxPool", g.type, 0, qmin, qmax);
  arena.core.maxPool(codeOf[g.type], g.x, g.y, geometry(arena, shape, false), qmin, qmax);
}

/** y = clamp(requant(sum (x - xZero); factor of the tap count) + yZero). */
export function avgPool(arena: Arena, g: AvgPoolArgs): void {
  const shape = full("avgPool", g.shape);
  buffers(arena, "avgPool", g, shape, g.xType, g.yType);
  const entries = shape.kernelH * shape.kernelW + 1;
  region(arena, "avgPool", "multipliers", g.multipliers, entries * 2);
  region(arena, "avgPool", "shifts", g.shifts, entries);
  for (const s of arena.i8(g.shifts, entries).subarray(1)) {
    expect(s >= 0 && s <= 62, "avgPool", "shift");
  }
  zeroPoint("avgPool", g.xType, g.xZero);
  limits("avgPool", g.yType, g.yZero, g.qmin, g.qmax);
  // deno-fmt-ignore
  arena.core.avgPool(
    codeOf[g.xType], codeOf[g.yType], g.x, g.y, geometry(arena, shape, false),
    g.multipliers, g.shifts, g.countIncludePad ? 1 : 0, g.xZero, g.yZero, g.qmin, g.qmax,
  );
}

function full(kernel: string, s: PoolShape): ConvShape {
  const shape = { ...s, outC: s.inC, group: 1 };
  checkShape(kernel, shape);
  return shape;
}

function buffers(
  arena: Arena,
  kernel: string,
  g: { readonly x: number; readonly y: number },
  shape: ConvShape,
  xType: WideInt,
  yType: WideInt,
): void {
  region(arena, kernel, "x", g.x, inputElements(shape) * bytesOf[xType]);
  region(arena, kernel, "y", g.y, outputElements(shape) * bytesOf[yType]);
  aligned(kernel, "x", g.x, bytesOf[xType]);
  aligned(kernel, "y", g.y, bytesOf[yType]);
}
