/**
 * float32 pooling and resizing of NHWC pictures.
 *
 * @module
 */

import type { Arena } from "./arena.ts";
import { aligned, atLeast, expect, region } from "./check.ts";
import { checkShape, type ConvShape, geometry, inputElements } from "./conv_shape.ts";
import { resizeNearest, type ResizeShape } from "./resize.ts";

/** Arguments of {@linkcode poolF32}; `shape.outC` is the number of channels, `shape.group` 1. */
export interface PoolF32Args {
  readonly kind: "max" | "average";
  readonly x: number;
  readonly y: number;
  readonly shape: ConvShape;
  /** Averages divide by the size of the kernel, not by the taps inside. */
  readonly countIncludePad?: boolean;
}

/** Largest or mean value under a window; taps outside the picture do not exist. */
export function poolF32(arena: Arena, a: PoolF32Args): void {
  const k = "poolF32", s = a.shape;
  checkShape(k, s);
  expect(s.outC === s.inC, k, `${s.inC} channels in, ${s.outC} out`);
  region(arena, k, "x", a.x, inputElements(s) * 4);
  region(arena, k, "y", a.y, s.batch * s.outH * s.outW * s.inC * 4);
  aligned(k, "x", a.x, 4);
  aligned(k, "y", a.y, 4);
  const g = geometry(arena, s, false);
  if (a.kind === "max") arena.core.maxPoolF32(a.x, a.y, g);
  else arena.core.avgPoolF32(a.x, a.y, g, a.countIncludePad ? 1 : 0);
}

/** Per output position: the two input positions and the weight of the second, 0..1. */
export interface LinearAxisF32 {
  readonly i0: Int32Array;
  readonly i1: Int32Array;
  readonly w: Float32Array;
}

/** Arguments of {@linkcode resizeLinearF32}. */
export interface ResizeLinearF32Args extends ResizeShape {
  readonly x: number;
  readonly y: number;
  readonly axisH: LinearAxisF32;
  readonly axisW: LinearAxisF32;
}

/** Bilinear resize by tables. */
export function resizeLinearF32(arena: Arena, g: ResizeLinearF32Args): void {
  const k = "resizeLinearF32", { batch, inH, inW, outH, outW, channels } = g;
  atLeast(0, k, { batch, inH, inW, outH, outW, channels });
  region(arena, k, "x", g.x, batch * inH * inW * channels * 4);
  region(arena, k, "y", g.y, batch * outH * outW * channels * 4);
  aligned(k, "x", g.x, 4);
  aligned(k, "y", g.y, 4);
  for (const [axis, n, size] of [[g.axisH, outH, inH], [g.axisW, outW, inW]] as const) {
    for (const t of [axis.i0, axis.i1]) {
      expect(t.length === n, k, `a table of ${t.length} entries for ${n} positions`);
      for (const v of t) expect(v >= 0 && v < size, k, `table entry ${v}`);
    }
    expect(axis.w.length === n, k, `${axis.w.length} weights for ${n} positions`);
  }
  const mark = arena.mark();
  const [h0, h1, wh, w0, w1, ww] = [g.axisH, g.axisW].flatMap((a) => [
    arena.put(a.i0),
    arena.put(a.i1),
    arena.put(a.w),
  ]);
  // deno-fmt-ignore
  arena.core.resizeLinearF32(g.x, g.y, batch, inH, inW, outH, outW, channels, h0!, h1!, wh!, w0!, w1!, ww!);
  arena.release(mark);
}

/** Arguments of {@linkcode resizeNearestF32}. */
export interface ResizeNearestF32Args extends ResizeShape {
  readonly x: number;
  readonly y: number;
  readonly indexH: Int32Array;
  readonly indexW: Int32Array;
}

/** y[i][j] = x[indexH[i]][indexW[j]]. */
export function resizeNearestF32(arena: Arena, g: ResizeNearestF32Args): void {
  resizeNearest(arena, { ...g, type: "int32" }); // elements of 4 bytes are moved, whatever they are
}
