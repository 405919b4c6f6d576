/**
 * Views of the histogram in {@linkcode TensorStats} that the threshold methods share.
 *
 * @module
 */

import type { TensorStats } from "./stats.ts";

/** Histogram of magnitudes, exact zeros left out; bin i holds width * i <= |x| < width * (i + 1). */
export interface Magnitudes {
  readonly width: number;
  /** Up to the bin of the largest magnitude. */
  readonly counts: Float64Array;
  /** Sum of `counts`. */
  readonly total: number;
  readonly absmax: number;
}

/** Both signs together, in at most `bins` bins (pairs are merged until they fit). */
export function magnitudes(s: TensorStats, bins: number = s.positive.length): Magnitudes {
  if (s.width === 0) return { width: 0, counts: new Float64Array(0), total: 0, absmax: 0 };
  let merge = 1;
  let used = Math.floor(s.absmax / s.width) + 1;
  while (used > bins) {
    merge *= 2;
    used = Math.floor(s.absmax / (s.width * merge)) + 1;
  }
  const counts = new Float64Array(used);
  let total = 0;
  for (let i = 0; i < s.positive.length; i++) {
    const n = s.positive[i]! + s.negative[i]!;
    if (n === 0) continue;
    counts[Math.floor(i / merge)]! += n;
    total += n;
  }
  return { width: s.width * merge, counts, total, absmax: s.absmax };
}

/** A value that stands for the elements of a bin, and how many they are. */
export interface Points {
  /** Signed, increasing. */
  readonly value: Float64Array;
  readonly count: Float64Array;
  readonly length: number;
}

/**
 * The non-empty bins by their centres, both signs, in increasing order; the outermost centres stay
 * inside the exact range.
 */
export function points(s: TensorStats): Points {
  const filled = (h: Float64Array) => h.reduce((n, c) => n + (c > 0 ? 1 : 0), 0);
  const length = filled(s.positive) + filled(s.negative);
  const value = new Float64Array(length), count = new Float64Array(length);
  let k = 0;
  for (let i = s.negative.length - 1; i >= 0; i--) {
    if (s.negative[i]! === 0) continue;
    value[k] = Math.max(s.min, -(i + 0.5) * s.width);
    count[k++] = s.negative[i]!;
  }
  for (let i = 0; i < s.positive.length; i++) {
    if (s.positive[i]! === 0) continue;
    value[k] = Math.min(s.max, (i + 0.5) * s.width);
    count[k++] = s.positive[i]!;
  }
  return { value, count, length };
}
