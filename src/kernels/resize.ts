/**
 * Resize of NHWC pictures by integer tables (docs/arithmetic.md section 8).
 *
 * @module
 */

import type { Arena } from "./arena.ts";
import { aligned, atLeast, bytesOf, codeOf, expect, region } from "./check.ts";

/** Sizes of a resize. */
export interface ResizeShape {
  readonly batch: number;
  readonly inH: number;
  readonly inW: number;
  readonly outH: number;
  readonly outW: number;
  readonly channels: number;
}

/** Arguments of {@linkcode resizeNearest}. */
export interface ResizeNearestArgs extends ResizeShape {
  readonly x: number;
  readonly y: number;
  readonly type: "int8" | "int16" | "int32";
  /** Input row per output row, input column per output column. */
  readonly indexH: Int32Array;
  readonly indexW: Int32Array;
}

/** Per output position: the two input positions and the weight of the second, 0..2048. */
export interface LinearAxis {
  readonly i0: Int32Array;
  readonly i1: Int32Array;
  readonly w: Int32Array;
}

/** Arguments of {@linkcode resizeLinear}. */
export interface ResizeLinearArgs extends ResizeShape {
  readonly x: number;
  readonly y: number;
  readonly type: "int8" | "int16";
  readonly axisH: LinearAxis;
  readonly axisW: LinearAxis;
}

/** y[i][j] = x[indexH[i]][indexW[j]]. */
export function resizeNearest(arena: Arena, g: ResizeNearestArgs): void {
  const k = "resizeNearest";
  buffers(arena, k, g, bytesOf[g.type]);
  table(k, g.indexH, g.outH, g.inH);
  table(k, g.indexW, g.outW, g.inW);
  const mark = arena.mark();
  const h = arena.put(g.indexH), w = arena.put(g.indexW);
  const pixel = g.channels * bytesOf[g.type];
  arena.core.resizeNearest(g.x, g.y, g.batch, g.inH, g.inW, g.outH, g.outW, pixel, h, w);
  arena.release(mark);
}

/** y = (sum over the four taps of x * wh * ww + 2^21) >> 22. */
export function resizeLinear(arena: Arena, g: ResizeLinearArgs): void {
  const k = "resizeLinear";
  buffers(arena, k, g, bytesOf[g.type]);
  for (const [axis, n, size] of [[g.axisH, g.outH, g.inH], [g.axisW, g.outW, g.inW]] as const) {
    table(k, axis.i0, n, size);
    table(k, axis.i1, n, size);
    table(k, axis.w, n, 2049);
  }
  const mark = arena.mark();
  const [h0, h1, wh, w0, w1, ww] = [g.axisH, g.axisW].flatMap((a) => [
    arena.put(a.i0),
    arena.put(a.i1),
    arena.put(a.w),
  ]);
  // deno-fmt-ignore
  arena.core.resizeLinear(
    codeOf[g.type], g.x, g.y, g.batch, g.inH, g.inW, g.outH, g.outW, g.channels,
    h0!, h1!, wh!, w0!, w1!, ww!,
  );
  arena.release(mark);
}

function table(kernel: string, t: Int32Array, n: number, limit: number): void {
  expect(t.length === n, kernel, `a table of ${t.length} entries for ${n} positions`);
  for (const v of t) expect(v >= 0 && v < limit, kernel, `table entry ${v}`);
}

function buffers(
  arena: Arena,
  k: string,
  g: ResizeShape & { x: number; y: number },
  b: number,
): void {
  const { batch, inH, inW, outH, outW, channels } = g;
  atLeast(0, k, { batch, inH, inW, outH, outW, channels });
  region(arena, k, "x", g.x, batch * inH * inW * channels * b);
  region(arena, k, "y", g.y, batch * outH * outW * channels * b);
  aligned(k, "x", g.x, b);
  aligned(k, "y", g.y, b);
}
