/**
 * Reductions over the middle of a view [outer][reduce][inner] (docs/arithmetic.md section 7). Global pooling
 * of NHWC is outer = N, reduce = H * W, inner = C.
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
  factor,
  type IntType,
  limits,
  region,
  zeroPoint,
} from "./check.ts";
import type { WideInt } from "./elementwise.ts";

/** A view [outer][reduce][inner]. */
export interface View {
  readonly outer: number;
  readonly reduce: number;
  readonly inner: number;
}

/** Arguments of {@linkcode reduceSum}; y is [outer][inner]. */
export interface ReduceSumArgs extends View {
  readonly x: number;
  readonly y: number;
  readonly xType: IntType;
  readonly yType: WideInt;
  readonly m: number;
  readonly s: number;
  readonly xZero: number;
  readonly yZero: number;
  readonly qmin: number;
  readonly qmax: number;
}

/** y = clamp(requant(sum (x - xZero); m, s) + yZero). */
export function reduceSum(arena: Arena, g: ReduceSumArgs): void {
  const k = "reduceSum";
  view(arena, k, g, g.x, bytesOf[g.xType], g.y, bytesOf[g.yType]);
  factor(k, g.m, g.s);
  zeroPoint(k, g.xType, g.xZero);
  limits(k, g.yType, g.yZero, g.qmin, g.qmax);
  expect(g.reduce < 2 ** 15 || g.xType !== "int32", k, "too many int32 values");
  // deno-fmt-ignore
  arena.core.reduceSum(
    codeOf[g.xType], codeOf[g.yType], g.x, g.y, g.outer, g.reduce, g.inner,
    g.m, g.s, g.xZero, g.yZero, g.qmin, g.qmax,
  );
}

/** Arguments of {@linkcode reduceMax}; y is [outer][inner] of the same type. */
export interface ReduceExtremeArgs extends View {
  readonly x: number;
  readonly y: number;
  readonly type: IntType;
}

/** y = maximum over the middle dimension (reduce >= 1). */
export function reduceMax(arena: Arena, g: ReduceExtremeArgs): void {
  extreme(arena, "reduceMax", g, 0);
}

/** y = minimum over the middle dimension (reduce >= 1). */
export function reduceMin(arena: Arena, g: ReduceExtremeArgs): void {
  extreme(arena, "reduceMin", g, 1);
}

function extreme(arena: Arena, k: string, g: ReduceExtremeArgs, minimum: number): void {
  atLeast(1, k, { reduce: g.reduce });
  view(arena, k, g, g.x, bytesOf[g.type], g.y, bytesOf[g.type]);
  arena.core.reduceExtreme(codeOf[g.type], g.x, g.y, g.outer, g.reduce, g.inner, minimum);
}

/** Arguments of {@linkcode argmax}; y is int32[outer][inner]. */
export interface ArgmaxArgs extends View {
  readonly x: number;
  readonly y: number;
  readonly xType: IntType;
  /** The last of equal maxima instead of the first. */
  readonly selectLast?: boolean;
  /** Index of the minimum. */
  readonly minimum?: boolean;
}

/** y = index of the first maximum over the middle dimension (reduce >= 1). */
export function argmax(arena: Arena, g: ArgmaxArgs): void {
  atLeast(1, "argmax", { reduce: g.reduce });
  view(arena, "argmax", g, g.x, bytesOf[g.xType], g.y, 4);
  // deno-fmt-ignore
  arena.core.argExtreme(
    codeOf[g.xType], g.x, g.y, g.outer, g.reduce, g.inner, g.minimum ? 1 : 0, g.selectLast ? 1 : 0,
  );
}

function view(
  arena: Arena,
  k: string,
  g: View,
  x: number,
  xb: number,
  y: number,
  yb: number,
): void {
  atLeast(0, k, { outer: g.outer, reduce: g.reduce, inner: g.inner });
  region(arena, k, "x", x, g.outer * g.reduce * g.inner * xb);
  region(arena, k, "y", y, g.outer * g.inner * yb);
  aligned(k, "x", x, xb);
  aligned(k, "y", y, yb);
}
