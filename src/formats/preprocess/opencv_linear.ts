/**
 * OpenCV's bilinear resize of bytes, with its integer arithmetic: weights of 11 bits, both directions,
 * and the mean of four for an exact half.
 *
 * @module
 */

import type { BytePicture } from "../image/mod.ts";

const BITS = 11;
const ONE = 1 << BITS;

interface Axis {
  readonly low: Int32Array;
  readonly high: Int32Array;
  /** Weight of the higher neighbour, of 2048. */
  readonly weight: Int32Array;
}

/** Rounds to nearest, halves to even. */
function roundEven(v: number): number {
  const r = Math.round(v);
  return r - v === 0.5 && r % 2 !== 0 ? r - 1 : r;
}

/**
 * @param keep whether weights stay at the borders, where both neighbours are the same line (rows): two
 * products are then rounded on their own
 */
function axis(from: number, to: number, keep: boolean): Axis {
  const low = new Int32Array(to), high = new Int32Array(to), weight = new Int32Array(to);
  const scale = from / to;
  for (let i = 0; i < to; i++) {
    const x = Math.fround((i + 0.5) * scale - 0.5);
    let at = Math.floor(x);
    let f = Math.fround(x - at);
    if (!keep && at < 0) [at, f] = [0, 0];
    if (!keep && at >= from - 1) [at, f] = [from - 1, 0];
    low[i] = Math.max(0, Math.min(at, from - 1));
    high[i] = Math.max(0, Math.min(at + 1, from - 1));
    weight[i] = roundEven(Math.fround(f * ONE));
  }
  return { low, high, weight };
}

/** Resizes bytes as OpenCV's INTER_LINEAR does. */
export function opencvLinear(p: BytePicture, width: number, height: number): BytePicture {
  const { channels: c, data } = p;
  const row = p.width * c;
  const out = new Uint8Array(width * height * c);
  if (p.width === 2 * width && p.height === 2 * height) {
    for (let y = 0, o = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        for (let k = 0; k < c; k++, o++) {
          const a = 2 * y * row + 2 * x * c + k;
          out[o] = (data[a]! + data[a + c]! + data[a + row]! + data[a + row + c]! + 2) >> 2;
        }
      }
    }
    return { ...p, width, height, data: out };
  }
  const across = axis(p.width, width, false), down = axis(p.height, height, true);
  const line = (y: number, into: Int32Array) => {
    for (let x = 0, o = 0; x < width; x++) {
      const l = y * row + across.low[x]! * c, h = y * row + across.high[x]! * c;
      const f = across.weight[x]!;
      for (let k = 0; k < c; k++, o++) into[o] = data[l + k]! * (ONE - f) + data[h + k]! * f;
    }
  };
  let [upper, lower] = [new Int32Array(width * c), new Int32Array(width * c)];
  let [upperY, lowerY] = [-1, -1];
  for (let y = 0, o = 0; y < height; y++) {
    const [l, h, f] = [down.low[y]!, down.high[y]!, down.weight[y]!];
    if (l === lowerY) [upper, lower, upperY, lowerY] = [lower, upper, lowerY, upperY];
    if (l !== upperY) line(upperY = l, upper);
    if (h !== lowerY) line(lowerY = h, lower);
    for (let x = 0; x < width * c; x++, o++) {
      out[o] = ((((ONE - f) * (upper[x]! >> 4)) >> 16) + ((f * (lower[x]! >> 4)) >> 16) + 2) >> 2;
    }
  }
  return { ...p, width, height, data: out };
}
