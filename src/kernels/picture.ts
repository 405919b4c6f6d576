/**
 * Pictures: RGB or BGR to YUV 4:4:4, grey and NV12, YUV to RGB, layout, separable resize. The arithmetic is
 * binary64 in the order of picture_ref.ts, so that results do not depend on who computes them. Every byte
 * result can be an int8, 128 less (`minus128`).
 *
 * @module
 */

import { type Arena, paramsAt } from "./arena.ts";
import { aligned, atLeast, expect, region } from "./check.ts";

/** Factors of RGB to YUV; spans are the reach of (B - Y) and (R - Y). */
export interface ToYuv {
  readonly red: number;
  readonly green: number;
  readonly blue: number;
  /** Value of black. */
  readonly offset: number;
  /** Output steps per input step. */
  readonly luma: number;
  readonly chroma: number;
  readonly blueSpan: number;
  readonly redSpan: number;
}

/** Factors of YUV to RGB: rows R, G, B over (Y - offset) * luma, (U - 128) * chroma, (V - 128) * chroma. */
export interface FromYuv {
  readonly offset: number;
  readonly luma: number;
  readonly chroma: number;
  readonly matrix: readonly (readonly [number, number, number])[];
}

/** Weights of one axis: output i is the sum over t of weight[i * taps + t] * input[index[i * taps + t]]. */
export interface AxisTable {
  readonly taps: number;
  readonly index: Int32Array;
  readonly weight: Float64Array;
}

/** `n` pixels of 3 interleaved values at `x`; bytes, or float32 (aligned to 4) with `float`. */
export interface PixelArgs {
  readonly x: number;
  readonly y: number;
  readonly n: number;
  readonly float?: boolean;
  /** The RGB side is BGR. */
  readonly bgr?: boolean;
  /** Results are int8, 128 less; bytes only. */
  readonly minus128?: boolean;
}

function doubles(arena: Arena, values: readonly number[]): number {
  arena.f64(paramsAt, values.length).set(values);
  return paramsAt;
}

const toYuv = (arena: Arena, f: ToYuv) =>
  doubles(arena, [
    ...[f.red, f.green, f.blue, f.offset, f.luma, f.chroma, f.blueSpan, f.redSpan],
  ]);

const flipOf = (g: { readonly minus128?: boolean }) => g.minus128 === true ? 0x80 : 0;

function check(arena: Arena, k: string, g: PixelArgs, outputs: number, inputs = 3): void {
  atLeast(0, k, { n: g.n });
  const size = g.float === true ? 4 : 1;
  aligned(k, "x", g.x, size);
  aligned(k, "y", g.y, size);
  region(arena, k, "x", g.x, g.n * inputs * size);
  region(arena, k, "y", g.y, g.n * outputs * size);
  expect(g.float !== true || g.minus128 !== true, k, "floats are not shifted");
}

/** RGB to interleaved YUV 4:4:4. */
export function rgbToYuv(arena: Arena, g: PixelArgs, f: ToYuv): void {
  check(arena, "rgbToYuv", g, 3);
  const k = toYuv(arena, f), swap = g.bgr === true ? 1 : 0;
  if (g.float) arena.core.rgbToYuvF32(g.x, g.y, g.n, k, swap);
  else arena.core.rgbToYuv(g.x, g.y, g.n, k, swap, flipOf(g));
}

/** RGB to one channel: its luma, full range. */
export function rgbToGray(arena: Arena, g: PixelArgs, f: ToYuv): void {
  check(arena, "rgbToGray", g, 1);
  const k = toYuv(arena, f), swap = g.bgr === true ? 1 : 0;
  if (g.float) arena.core.rgbToGrayF32(g.x, g.y, g.n, k, swap);
  else arena.core.rgbToGray(g.x, g.y, g.n, k, swap, flipOf(g));
}

/** Interleaved YUV 4:4:4 to RGB; with `shifted` its bytes are int8, 128 less. */
export function yuvToRgb(
  arena: Arena,
  g: PixelArgs & { readonly shifted?: boolean },
  f: FromYuv,
): void {
  check(arena, "yuvToRgb", g, 3);
  expect(g.float !== true || g.shifted !== true, "yuvToRgb", "floats are not shifted");
  const k = doubles(arena, [f.offset, f.luma, f.chroma, ...f.matrix.flat()]);
  const swap = g.bgr === true ? 1 : 0, flipIn = g.shifted === true ? 0x80 : 0;
  if (g.float) arena.core.yuvToRgbF32(g.x, g.y, g.n, k, swap);
  else arena.core.yuvToRgb(g.x, g.y, g.n, k, swap, flipIn, flipOf(g));
}

/** RGB bytes of even width and height to NV12: float32 YUV, chroma the mean of 2x2 before it is rounded. */
export function rgbToNv12(
  arena: Arena,
  g: {
    readonly x: number;
    readonly y: number;
    readonly width: number;
    readonly height: number;
    readonly bgr?: boolean;
    readonly minus128?: boolean;
  },
  f: ToYuv,
): void {
  const k = "rgbToNv12";
  atLeast(0, k, { width: g.width, height: g.height });
  expect(g.width % 2 === 0 && g.height % 2 === 0, k, "nv12 has even width and height");
  region(arena, k, "x", g.x, g.width * g.height * 3);
  region(arena, k, "y", g.y, g.width * g.height * 3 / 2);
  const swap = g.bgr === true ? 1 : 0;
  arena.core.rgbToNv12(g.x, g.y, g.width, g.height, toYuv(arena, f), swap, flipOf(g));
}

/** 3 interleaved channels to 3 planes (`toPlanes`), or back. */
export function layout3(arena: Arena, g: PixelArgs & { readonly toPlanes: boolean }): void {
  check(arena, "layout3", g, 3);
  const { core } = arena;
  if (g.float) (g.toPlanes ? core.planes3F32 : core.pixels3F32)(g.x, g.y, g.n);
  else (g.toPlanes ? core.planes3 : core.pixels3)(g.x, g.y, g.n);
}

/** RGB to BGR and back. */
export function swap3(arena: Arena, g: PixelArgs): void {
  check(arena, "swap3", g, 3);
  (g.float ? arena.core.swap3F32 : arena.core.swap3)(g.x, g.y, g.n);
}

/** One channel (`n` values at x) to three equal ones. */
export function repeat3(arena: Arena, g: PixelArgs): void {
  check(arena, "repeat3", g, 3, 1);
  (g.float ? arena.core.repeat3F32 : arena.core.repeat3)(g.x, g.y, g.n);
}

/** A picture to resize. `float`: both sides are float32. `floatOut`: bytes in, float32 out. */
export interface ResizeArgs {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly float?: boolean;
  readonly floatOut?: boolean;
}

function table(arena: Arena, k: string, t: AxisTable, inputs: number): readonly [number, number] {
  const n = t.index.length;
  expect(
    t.taps > 0 && n % t.taps === 0 && n === t.weight.length && n > 0,
    k,
    "a table has taps indices and weights for each output",
  );
  expect(t.index.every((i) => i >= 0 && i < inputs), k, "indices lie inside of the picture");
  const weight = arena.alloc(8 * n, 16);
  arena.f64(weight, n).set(t.weight);
  return [arena.put(t.index), weight];
}

/** Resizes across, then down; the rows in between are float32. */
export function resizeSeparable(
  arena: Arena,
  g: ResizeArgs,
  across: AxisTable,
  down: AxisTable,
): void {
  const k = "resizeSeparable";
  atLeast(1, k, { width: g.width, height: g.height, channels: g.channels });
  const outW = across.index.length / across.taps, outH = down.index.length / down.taps;
  const row = outW * g.channels, out = g.float === true || g.floatOut === true;
  aligned(k, "x", g.x, g.float === true ? 4 : 1);
  aligned(k, "y", g.y, out ? 4 : 1);
  region(arena, k, "x", g.x, g.width * g.height * g.channels * (g.float === true ? 4 : 1));
  region(arena, k, "y", g.y, row * outH * (out ? 4 : 1));
  const mark = arena.mark();
  const [ai, aw] = table(arena, k, across, g.width), [di, dw] = table(arena, k, down, g.height);
  const narrow = arena.alloc(row * g.height * 4);
  const { core } = arena, inRow = g.width * g.channels;
  const first = g.float === true ? core.resizeAcrossF32 : core.resizeAcross;
  first(g.x, narrow, g.height, inRow, outW, g.channels, across.taps, ai, aw);
  (out ? core.resizeDownF32 : core.resizeDown)(narrow, g.y, outH, row, down.taps, di, dw);
  arena.release(mark);
}
