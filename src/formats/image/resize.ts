/**
 * Resizing. Every method is separable: per axis, each output value is a weighted sum of a few inputs.
 *
 * - `nearest`, `bilinear`, `bicubic` (a = -0.75), `area`: the conventions of OpenCV (half-pixel centres,
 *   border repeated), in floating point, bytes rounded half up.
 * - `antialias`: skimage's `resize(order=1, anti_aliasing=True)`: a Gaussian of sigma (factor - 1) / 2
 *   before a bilinear step, borders mirrored; the result is float.
 *
 * @module
 */

import { BpuError } from "../../errors.ts";
import { type AxisTable, resizeSeparable } from "../../kernels/picture.ts";
import { resizeSeparableRef } from "../../kernels/picture_ref.ts";
import { computed } from "./kernels.ts";
import type { Picture } from "./picture.ts";

/** How to resize. */
export type ResizeMethod = "nearest" | "bilinear" | "bicubic" | "area" | "antialias";

/** Largest side that is accepted. */
const MAX_SIDE = 1 << 16;

/**
 * Resizes a picture.
 *
 * @example
 * ```ts
 * import { resize } from "./resize.ts";
 * const p = { width: 2, height: 1, channels: 1, data: Uint8Array.of(0, 100) };
 * console.log([...resize(p, 4, 1, "bilinear").data]); // [0, 25, 75, 100]
 * ```
 */
export function resize(
  p: Picture,
  width: number,
  height: number,
  method: ResizeMethod = "bilinear",
): Picture {
  for (const v of [p.width, p.height, width, height]) {
    if (!Number.isInteger(v) || v < 1 || v > MAX_SIDE) {
      throw new BpuError("shape", `cannot resize ${p.width}x${p.height} to ${width}x${height}`);
    }
  }
  const float = p.data instanceof Float32Array || method === "antialias";
  if (width === p.width && height === p.height) {
    const data = float ? Float32Array.from(p.data) : p.data.slice();
    return { ...p, data };
  }
  const across = axis(p.width, width, method);
  const down = axis(p.height, height, method);
  // Rows first: each row is narrowed once, then columns are mixed.
  const c = p.channels, count = width * height * c;
  const tables = 12 * (across.index.length + down.index.length);
  const data = computed(
    p.data,
    float ? new Float32Array(count) : new Uint8Array(count),
    tables + 4 * width * p.height * c,
    (arena, x, y) => {
      const kind = { float: p.data instanceof Float32Array, floatOut: float };
      const size = { width: p.width, height: p.height, channels: c };
      resizeSeparable(arena, { x, y, ...size, ...kind }, across, down);
    },
    (y) => resizeSeparableRef(p.data, y, p, across, down),
  );
  return { width, height, channels: c, data };
}

function axis(from: number, to: number, method: ResizeMethod): AxisTable {
  const scale = from / to;
  switch (method) {
    case "nearest":
      return build(from, to, 1, clampIndex, (i, put) => put(Math.floor(i * scale), 1));
    case "bilinear":
      return build(from, to, 2, clampIndex, (i, put) => linear((i + 0.5) * scale - 0.5, put));
    case "bicubic":
      return build(from, to, 4, clampIndex, (i, put) => cubic((i + 0.5) * scale - 0.5, put));
    case "area":
      return scale >= 1
        ? build(from, to, Math.ceil(scale) + 1, clampIndex, (i, put) => overlap(i, scale, put))
        : build(from, to, 2, clampIndex, (i, put) => areaUp(i, scale, put));
    case "antialias":
      return gaussian(from, to, scale);
  }
}

type Put = (index: number, weight: number) => void;

function build(
  from: number,
  to: number,
  taps: number,
  border: (i: number, n: number) => number,
  fill: (i: number, put: Put) => void,
): AxisTable {
  const index = new Int32Array(to * taps);
  const weight = new Float64Array(to * taps);
  for (let i = 0; i < to; i++) {
    let t = 0;
    fill(i, (at, w) => {
      if (w === 0) return;
      index[i * taps + t] = border(at, from);
      weight[i * taps + t] = w;
      t++;
    });
  }
  return { taps, index, weight };
}

function clampIndex(i: number, n: number): number {
  return i < 0 ? 0 : i >= n ? n - 1 : i;
}

/** ... 2 1 | 0 1 2 ... n-1 | n-2 ...: the border value itself is not repeated. */
function mirrorIndex(i: number, n: number): number {
  if (n === 1) return 0;
  const period = 2 * (n - 1);
  const m = ((i % period) + period) % period;
  return m < n ? m : period - m;
}

function linear(x: number, put: Put): void {
  const i = Math.floor(x);
  put(i, 1 - (x - i));
  put(i + 1, x - i);
}

function cubic(x: number, put: Put): void {
  const a = -0.75;
  const i = Math.floor(x);
  const f = x - i;
  const near = (d: number) => ((a + 2) * d - (a + 3)) * d * d + 1;
  const far = (d: number) => ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
  put(i - 1, far(1 + f));
  put(i, near(f));
  put(i + 1, near(1 - f));
  put(i + 2, far(2 - f));
}

/** The share of each input pixel in output pixel i. */
function overlap(i: number, scale: number, put: Put): void {
  const a = i * scale, b = a + scale;
  for (let k = Math.floor(a); k < b - 1e-9; k++) {
    const part = Math.min(b, k + 1) - Math.max(a, k);
    if (part > 1e-9) put(k, part / scale);
  }
}

/** OpenCV's INTER_AREA when it enlarges. */
function areaUp(i: number, scale: number, put: Put): void {
  const k = Math.floor(i * scale);
  const f = i + 1 - (k + 1) / scale;
  const part = f <= 0 ? 0 : f - Math.floor(f);
  put(k, 1 - part);
  put(k + 1, part);
}

function gaussian(from: number, to: number, scale: number): AxisTable {
  const sigma = Math.max(0, (scale - 1) / 2);
  const radius = Math.floor(4 * sigma + 0.5);
  const kernel: number[] = [];
  for (let k = -radius; k <= radius; k++) {
    kernel.push(sigma === 0 ? 1 : Math.exp(-0.5 * (k / sigma) ** 2));
  }
  const total = kernel.reduce((s, v) => s + v, 0);
  return build(from, to, 2 * radius + 2, mirrorIndex, (i, put) => {
    const x = (i + 0.5) * scale - 0.5;
    const at = Math.floor(x);
    const f = x - at;
    // The bilinear step between two smoothed values, as one kernel; a symmetric kernel may be mirrored whole.
    for (let k = 0; k <= 2 * radius + 1; k++) {
      const left = k <= 2 * radius ? kernel[k]! : 0;
      const right = k > 0 ? kernel[k - 1]! : 0;
      put(at - radius + k, ((1 - f) * left + f * right) / total);
    }
  });
}
