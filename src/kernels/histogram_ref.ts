/**
 * The definition of a histogram's bins and rows' ranges, for the tests of histogram.ts and for blocks
 * that its kernels do not take: those with NaN or infinities.
 *
 * @module
 */

import type { Order } from "./statistics.ts";

/** Bins to count into: those of x > 0, then those of x < 0. */
export interface Counts {
  readonly counts: Uint32Array | Float64Array;
  readonly bins: number;
  /** A power of two; 0 where no value differs from 0. */
  readonly width: number;
}

/** Counts every `stride`-th value from `first` on; zeros, NaN and infinities are in no bin. */
export function tallyBlock(
  data: Float32Array,
  first: number,
  stride: number,
  into: Counts,
): { count: number; zeros: number } {
  let count = 0, zeros = 0;
  for (let i = first; i < data.length; i += stride) {
    const v = data[i]!;
    if (v - v !== 0) continue;
    count++;
    if (v === 0) zeros++;
    else into.counts[(v < 0 ? into.bins : 0) + Math.floor(Math.abs(v) / into.width)]! += 1;
  }
  return { count, zeros };
}

/** Widens [min, max] per row or channel by the finite values; returns how many others there are. */
export function partRangesRef(data: Float32Array, order: Order, ranges: Float32Array): number {
  let nonFinite = 0;
  for (let i = 0; i < data.length; i++) {
    const v = data[i]!;
    const k = 2 * (order.channels === undefined ? Math.floor(i / order.inner) : i % order.channels);
    if (v - v !== 0) nonFinite++;
    else {
      if (v < ranges[k]!) ranges[k] = v;
      if (v > ranges[k + 1]!) ranges[k + 1] = v;
    }
  }
  return nonFinite;
}
