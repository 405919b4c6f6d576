/**
 * skimage's resize: B-splines of order 0 to 5 with mirrored borders, after a Gaussian of sigma
 * (factor - 1) / 2 along the directions that shrink. Results are floats in the range of the picture.
 *
 * @module
 */

import { type FloatPicture, type Picture, toFloats } from "../image/mod.ts";

/** 0 nearest, 1 bilinear, 2 biquadratic, 3 bicubic, 4 biquartic, 5 biquintic. */
export type SplineOrder = 0 | 1 | 2 | 3 | 4 | 5;

/** Poles of the filter that turns samples into spline coefficients (Unser). */
const poles: Readonly<Record<SplineOrder, readonly number[]>> = {
  0: [],
  1: [],
  2: [Math.sqrt(8) - 3],
  3: [Math.sqrt(3) - 2],
  4: [
    Math.sqrt(664 - Math.sqrt(438976)) + Math.sqrt(304) - 19,
    Math.sqrt(664 + Math.sqrt(438976)) - Math.sqrt(304) - 19,
  ],
  5: [
    Math.sqrt(67.5 - Math.sqrt(4436.25)) + Math.sqrt(26.25) - 6.5,
    Math.sqrt(67.5 + Math.sqrt(4436.25)) - Math.sqrt(26.25) - 6.5,
  ],
};

/** ... 2 1 | 0 1 2 ... n-1 | n-2 ... */
function mirror(i: number, n: number): number {
  if (n === 1) return 0;
  const period = 2 * (n - 1);
  const m = ((i % period) + period) % period;
  return m < n ? m : period - m;
}

/** The B-spline of order n, as a sum of truncated powers. */
function bspline(n: number, x: number): number {
  if (n === 0) return x >= -0.5 && x < 0.5 ? 1 : 0;
  let sum = 0, choose = 1, factorial = 1;
  for (let k = 1; k <= n; k++) factorial *= k;
  for (let k = 0; k <= n + 1; k++) {
    const base = x + (n + 1) / 2 - k;
    if (base > 0) sum += choose * base ** n;
    choose *= -(n + 1 - k) / (k + 1);
  }
  return sum / factorial;
}

function coefficients(line: Float64Array, order: SplineOrder): void {
  const n = line.length;
  if (n < 2) return;
  for (const z of poles[order]) {
    const gain = (1 - z) * (1 - 1 / z);
    for (let i = 0; i < n; i++) line[i]! *= gain;
    let zn = z, z2n = z ** (n - 1);
    let sum = line[0]! + z2n * line[n - 1]!;
    z2n *= z2n / z;
    for (let i = 1; i < n - 1; i++) {
      sum += (zn + z2n) * line[i]!;
      zn *= z;
      z2n /= z;
    }
    line[0] = sum / (1 - zn * zn);
    for (let i = 1; i < n; i++) line[i]! += z * line[i - 1]!;
    line[n - 1] = z / (z * z - 1) * (z * line[n - 2]! + line[n - 1]!);
    for (let i = n - 2; i >= 0; i--) line[i] = z * (line[i + 1]! - line[i]!);
  }
}

function gaussian(line: Float64Array, sigma: number, into: Float64Array): void {
  const radius = Math.floor(4 * sigma + 0.5);
  const kernel = Float64Array.from(
    { length: 2 * radius + 1 },
    (_, k) => Math.exp(-0.5 * ((k - radius) / sigma) ** 2),
  );
  const total = kernel.reduce((a, b) => a + b, 0);
  for (let i = 0; i < line.length; i++) {
    let sum = 0;
    for (let k = -radius; k <= radius; k++) {
      sum += kernel[k + radius]! * line[mirror(i + k, line.length)]!;
    }
    into[i] = sum / total;
  }
}

/** Resizes `lines` lines of `from` values that lie `step` apart. */
function along(
  data: Float64Array,
  from: number,
  to: number,
  step: number,
  order: SplineOrder,
  antialias: boolean,
): Float64Array {
  const blocks = data.length / (from * step);
  const out = new Float64Array(blocks * to * step);
  const line = new Float64Array(from), smooth = new Float64Array(from);
  const scale = from / to;
  const taps = order + 1;
  const index = new Int32Array(to * taps), weight = new Float64Array(to * taps);
  for (let i = 0; i < to; i++) {
    const x = (i + 0.5) * scale - 0.5;
    const first = (order % 2 === 1 ? Math.floor(x) : Math.floor(x + 0.5)) - (order >> 1);
    for (let t = 0; t < taps; t++) {
      index[i * taps + t] = mirror(first + t, from);
      weight[i * taps + t] = order === 0 ? 1 : bspline(order, x - first - t);
    }
  }
  const sigma = (scale - 1) / 2;
  for (let b = 0; b < blocks; b++) {
    for (let s = 0; s < step; s++) {
      const at = b * from * step + s;
      for (let i = 0; i < from; i++) line[i] = data[at + i * step]!;
      let source = line;
      if (antialias && sigma > 0) gaussian(line, sigma, source = smooth);
      coefficients(source, order);
      for (let i = 0; i < to; i++) {
        let sum = 0;
        for (let t = i * taps; t < (i + 1) * taps; t++) sum += weight[t]! * source[index[t]!]!;
        out[b * to * step + i * step + s] = sum;
      }
    }
  }
  return out;
}

/** Resizes as skimage.transform.resize does (anti_aliasing where it shrinks, clip, preserve_range). */
export function skimageResize(
  p: Picture,
  width: number,
  height: number,
  order: SplineOrder = 1,
  antialias = true,
): FloatPicture {
  if (width === p.width && height === p.height) return toFloats(p);
  const c = p.channels;
  let low = Infinity, high = -Infinity;
  for (const v of p.data) {
    low = Math.min(low, v);
    high = Math.max(high, v);
  }
  let data: Float64Array = Float64Array.from(p.data);
  data = along(data, p.width, width, c, order, antialias);
  data = along(data, p.height, height, width * c, order, antialias);
  // Splines overshoot; skimage clips to the range of its input.
  const out = Float32Array.from(data, (v) => Math.max(low, Math.min(high, v)));
  return { width, height, channels: c, data: out };
}
