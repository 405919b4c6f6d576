/**
 * Pillow's resize: filters that widen when a picture shrinks, weights of 22 bits, bytes rounded after each
 * direction. Bytes come out as Pillow's, bit for bit.
 *
 * @module
 */

import { type BytePicture, toBytes } from "../image/mod.ts";
import type { Picture } from "../image/mod.ts";

/** Pillow's filters. */
export type PilFilter = "nearest" | "box" | "bilinear" | "hamming" | "bicubic" | "lanczos";

const sinc = (x: number) => x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);

const filters: Readonly<
  Record<Exclude<PilFilter, "nearest">, readonly [number, (x: number) => number]>
> = {
  box: [0.5, (x) => x > -0.5 && x <= 0.5 ? 1 : 0],
  bilinear: [1, (x) => Math.abs(x) < 1 ? 1 - Math.abs(x) : 0],
  hamming: [1, (x) => {
    const a = Math.abs(x);
    return a === 0 ? 1 : a >= 1 ? 0 : sinc(a) * (0.54 + 0.46 * Math.cos(Math.PI * a));
  }],
  bicubic: [2, (x) => {
    const a = -0.5, d = Math.abs(x);
    if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
    return d < 2 ? (((d - 5) * d + 8) * d - 4) * a : 0;
  }],
  lanczos: [3, (x) => x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0],
};

const ONE = 2 ** 22;

interface Axis {
  readonly first: Int32Array;
  readonly weights: readonly Int32Array[];
}

function axis(from: number, to: number, filter: Exclude<PilFilter, "nearest">): Axis {
  const [reach, f] = filters[filter];
  const scale = from / to;
  const wide = Math.max(scale, 1);
  const support = reach * wide;
  const first = new Int32Array(to);
  const weights: Int32Array[] = [];
  for (let i = 0; i < to; i++) {
    const center = (i + 0.5) * scale;
    const low = Math.max(0, Math.trunc(center - support + 0.5));
    const high = Math.min(from, Math.trunc(center + support + 0.5));
    const w = Array.from({ length: high - low }, (_, k) => f((k + low - center + 0.5) / wide));
    const sum = w.reduce((a, b) => a + b, 0);
    first[i] = low;
    weights.push(Int32Array.from(w, (v) => {
      const n = sum === 0 ? v : v / sum;
      return Math.trunc(n < 0 ? n * ONE - 0.5 : n * ONE + 0.5);
    }));
  }
  return { first, weights };
}

function clip(sum: number): number {
  const v = Math.floor((sum + ONE / 2) / ONE);
  return v < 0 ? 0 : v > 255 ? 255 : v;
}

function nearest(p: BytePicture, width: number, height: number): BytePicture {
  const data = new Uint8Array(width * height * p.channels);
  // Pillow adds the step up, so that sums that should be whole may fall just below.
  const table = (from: number, to: number) => {
    const step = from / to;
    const out = new Int32Array(to);
    for (let i = 0, v = step * 0.5; i < to; i++, v += step) {
      out[i] = Math.min(from - 1, Math.trunc(v));
    }
    return out;
  };
  const across = table(p.width, width), down = table(p.height, height);
  for (let y = 0, o = 0; y < height; y++) {
    const row = down[y]! * p.width;
    for (let x = 0; x < width; x++) {
      const i = (row + across[x]!) * p.channels;
      for (let k = 0; k < p.channels; k++) data[o++] = p.data[i + k]!;
    }
  }
  return { ...p, width, height, data };
}

/** Resizes as Pillow does; floats are rounded to bytes first, like pictures of Pillow. */
export function pilResize(
  picture: Picture,
  width: number,
  height: number,
  filter: PilFilter = "bilinear",
): BytePicture {
  const p = toBytes(picture);
  if (filter === "nearest") return nearest(p, width, height);
  const c = p.channels;
  let { data } = p;
  if (width !== p.width) {
    const a = axis(p.width, width, filter);
    const out = new Uint8Array(width * p.height * c);
    for (let y = 0, o = 0; y < p.height; y++) {
      for (let x = 0; x < width; x++) {
        const w = a.weights[x]!;
        const at = (y * p.width + a.first[x]!) * c;
        for (let k = 0; k < c; k++) {
          let sum = 0;
          for (let t = 0; t < w.length; t++) sum += w[t]! * data[at + t * c + k]!;
          out[o++] = clip(sum);
        }
      }
    }
    data = out;
  }
  if (height !== p.height) {
    const a = axis(p.height, height, filter);
    const row = width * c;
    const out = new Uint8Array(row * height);
    for (let y = 0, o = 0; y < height; y++) {
      const w = a.weights[y]!;
      for (let x = 0; x < row; x++) {
        let sum = 0;
        for (let t = 0; t < w.length; t++) sum += w[t]! * data[(a.first[y]! + t) * row + x]!;
        out[o++] = clip(sum);
      }
    }
    data = out;
  }
  return { width, height, channels: c, data };
}
