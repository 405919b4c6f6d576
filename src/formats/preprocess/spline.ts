/**
 * skimage's resize: B-splines of order 0 to 5 with mirrored borders, after a Gaussian of sigma
 * (factor - 1) / 2 along the directions that shrink. Results are floats in the range of the picture.
 *
 * @module
 */

import { mirror, splineAlong, type SplineLine } from "../../kernels/spline.ts";
import { splineAlongRef } from "../../kernels/spline_ref.ts";
import { computed } from "../image/kernels.ts";
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

/** Values of a Gaussian; undefined where it would change nothing. */
function gaussian(sigma: number): Float64Array | undefined {
  const radius = Math.floor(4 * sigma + 0.5);
  if (!(sigma > 0) || radius === 0) return undefined;
  return Float64Array.from(
    { length: 2 * radius + 1 },
    (_, k) => Math.exp(-0.5 * ((k - radius) / sigma) ** 2),
  );
}

function lineOf(from: number, to: number, order: SplineOrder, antialias: boolean): SplineLine {
  const scale = from / to, taps = order + 1;
  const index = new Int32Array(to * taps), weight = new Float64Array(to * taps);
  for (let i = 0; i < to; i++) {
    const x = (i + 0.5) * scale - 0.5;
    const first = (order % 2 === 1 ? Math.floor(x) : Math.floor(x + 0.5)) - (order >> 1);
    for (let t = 0; t < taps; t++) {
      index[i * taps + t] = mirror(first + t, from);
      weight[i * taps + t] = order === 0 ? 1 : bspline(order, x - first - t);
    }
  }
  const blur = antialias ? gaussian((scale - 1) / 2) : undefined;
  return {
    from,
    table: { taps, index, weight },
    ...(blur === undefined ? {} : { blur }),
    poles: poles[order],
  };
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
  const across = lineOf(p.width, width, order, antialias);
  const down = lineOf(p.height, height, order, antialias);
  const row = width * c, values = Float64Array.from(p.data);
  const [n, m] = [p.height * row, height * row];
  const data = computed(
    values,
    new Float64Array(m),
    8 * n + 200 * (p.width + p.height + width + height),
    (arena, x, y) => {
      const narrow = arena.alloc(8 * n, 16);
      splineAlong(arena, { x, y: narrow, blocks: p.height, step: c }, across);
      splineAlong(arena, { x: narrow, y, blocks: 1, step: row }, down);
    },
    (y) => {
      const narrow = new Float64Array(n);
      splineAlongRef(values, narrow, p.height, c, across);
      splineAlongRef(narrow, y, 1, row, down);
    },
  );
  // Splines overshoot; skimage clips to the range of its input.
  const out = new Float32Array(m);
  for (let i = 0; i < m; i++) out[i] = Math.max(low, Math.min(high, data[i]!));
  return { width, height, channels: c, data: out };
}
