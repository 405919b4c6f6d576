/**
 * Scalar references of colour.ts.
 *
 * @module
 */

import { colourFactors, type ColourRange } from "./colour.ts";

export function nv12ToRgbRef(
  x: Uint8Array,
  y: Uint8Array,
  width: number,
  height: number,
  range: ColourRange,
  order: "rgb" | "bgr",
): void {
  const f = colourFactors[range], red = order === "rgb" ? 0 : 2, blue = 2 - red;
  for (let row = 0, at = 0; row < height; row++) {
    for (let col = 0; col < width; col++, at += 3) {
      const pair = width * height + (row >> 1) * width + (col & ~1);
      const l = (x[row * width + col]! - f.offset) * f.luma + 2 ** 19;
      const u = x[pair]! - 128, v = x[pair + 1]! - 128;
      y[at + red] = byte(l + v * f.redV);
      y[at + 1] = byte(l + u * f.greenU + v * f.greenV);
      y[at + blue] = byte(l + u * f.blueU);
    }
  }
}

function byte(v: number): number {
  const b = v >> 20;
  return b < 0 ? 0 : b > 255 ? 255 : b;
}

export function nv12ToYuv444Ref(x: Uint8Array, y: Uint8Array, width: number, height: number): void {
  for (let row = 0, at = 0; row < height; row++) {
    for (let col = 0; col < width; col++, at += 3) {
      const pair = width * height + (row >> 1) * width + (col & ~1);
      y[at] = x[row * width + col]!;
      y[at + 1] = x[pair]!;
      y[at + 2] = x[pair + 1]!;
    }
  }
}
