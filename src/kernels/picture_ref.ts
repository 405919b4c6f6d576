/**
 * Scalar references of picture.ts: binary64 step by step, bytes rounded half up and saturated, floats
 * rounded to binary32 where they are stored.
 *
 * @module
 */

import type { AxisTable, FromYuv, ToYuv } from "./picture.ts";

/** Values of a picture. */
export type Values = Uint8Array | Float32Array;

/** Rounds half up and saturates. */
function byte(v: number): number {
  return v <= 0 ? 0 : v >= 255 ? 255 : Math.floor(v + 0.5);
}

/** The value that is stored: a byte with its top bit flipped by `flip`, or the float. */
function put(y: Values, i: number, v: number, flip: number): void {
  y[i] = y instanceof Uint8Array ? byte(v) ^ flip : v;
}

export function rgbToYuvRef(x: Values, y: Values, f: ToYuv, swap: boolean, flip: number): void {
  for (let i = 0; i < x.length; i += 3) {
    const r = x[swap ? i + 2 : i]!, g = x[i + 1]!, b = x[swap ? i : i + 2]!;
    const l = f.red * r + f.green * g + f.blue * b;
    put(y, i, f.offset + l * f.luma, flip);
    put(y, i + 1, 128 + (b - l) / f.blueSpan * f.chroma, flip);
    put(y, i + 2, 128 + (r - l) / f.redSpan * f.chroma, flip);
  }
}

export function rgbToGrayRef(x: Values, y: Values, f: ToYuv, swap: boolean, flip: number): void {
  for (let i = 0, o = 0; i < x.length; i += 3, o++) {
    const r = x[swap ? i + 2 : i]!, b = x[swap ? i : i + 2]!;
    put(y, o, f.red * r + f.green * x[i + 1]! + f.blue * b, flip);
  }
}

export function yuvToRgbRef(
  x: Values,
  y: Values,
  f: FromYuv,
  swap: boolean,
  flipIn: number,
  flip: number,
): void {
  for (let i = 0; i < x.length; i += 3) {
    const at = (k: number) => x instanceof Uint8Array ? x[i + k]! ^ flipIn : x[i + k]!;
    const l = (at(0) - f.offset) * f.luma;
    const u = (at(1) - 128) * f.chroma, v = (at(2) - 128) * f.chroma;
    for (let c = 0; c < 3; c++) {
      const m = f.matrix[swap ? 2 - c : c]!;
      put(y, i + c, m[0]! * l + m[1]! * u + m[2]! * v, flip);
    }
  }
}

export function rgbToNv12Ref(
  x: Uint8Array,
  y: Uint8Array,
  width: number,
  height: number,
  f: ToYuv,
  swap: boolean,
  flip: number,
): void {
  const yuv = new Float32Array(x.length);
  rgbToYuvRef(Float32Array.from(x), yuv, f, swap, 0);
  for (let i = 0; i < width * height; i++) y[i] = byte(yuv[3 * i]!) ^ flip;
  for (let row = 0; row < height; row += 2) {
    for (let col = 0; col < width; col += 2) {
      for (let c = 1; c < 3; c++) {
        const a = (row * width + col) * 3 + c, b = a + 3 * width;
        const mean = (yuv[a]! + yuv[a + 3]! + yuv[b]! + yuv[b + 3]!) / 4;
        y[width * height + (row / 2) * width + col + c - 1] = byte(mean) ^ flip;
      }
    }
  }
}

/** HWC to CHW of 3 channels (`toPlanes`), or back. */
export function layout3Ref(x: Values, y: Values, toPlanes: boolean): void {
  const n = x.length / 3;
  for (let i = 0; i < n; i++) {
    for (let c = 0; c < 3; c++) {
      if (toPlanes) y[c * n + i] = x[3 * i + c]!;
      else y[3 * i + c] = x[c * n + i]!;
    }
  }
}

export function swap3Ref(x: Values, y: Values): void {
  for (let i = 0; i < x.length; i += 3) {
    y[i] = x[i + 2]!;
    y[i + 1] = x[i + 1]!;
    y[i + 2] = x[i]!;
  }
}

export function repeat3Ref(x: Values, y: Values): void {
  for (let i = 0; i < x.length; i++) y.fill(x[i]!, 3 * i, 3 * i + 3);
}

export function resizeSeparableRef(
  x: Values,
  y: Values,
  size: { readonly width: number; readonly height: number; readonly channels: number },
  across: AxisTable,
  down: AxisTable,
): void {
  const c = size.channels, outW = across.index.length / across.taps;
  const row = outW * c, outH = down.index.length / down.taps;
  const narrow = new Float32Array(row * size.height);
  const sums = new Float64Array(row);
  for (let r = 0; r < size.height; r++) {
    sums.fill(0);
    for (let o = 0; o < outW; o++) {
      for (let t = o * across.taps; t < (o + 1) * across.taps; t++) {
        const w = across.weight[t]!;
        if (w === 0) continue;
        const from = (r * size.width + across.index[t]!) * c;
        for (let k = 0; k < c; k++) sums[o * c + k]! += w * x[from + k]!;
      }
    }
    narrow.set(sums, r * row);
  }
  for (let o = 0; o < outH; o++) {
    sums.fill(0);
    for (let t = o * down.taps; t < (o + 1) * down.taps; t++) {
      const w = down.weight[t]!;
      if (w === 0) continue;
      const from = down.index[t]! * row;
      for (let i = 0; i < row; i++) sums[i]! += w * narrow[from + i]!;
    }
    for (let i = 0; i < row; i++) put(y, o * row + i, sums[i]!, 0);
  }
}
