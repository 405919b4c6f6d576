/**
 * How far a tensor is from its reference: the figures of all tables and searches.
 *
 * @module
 */

import { BpuError } from "../errors.ts";
import { type Distances, distances } from "../kernels/compare.ts";

/** Figures of {@linkcode compare}. */
export interface Metrics extends Distances {
  /** Pairs that were left out because one or both values are NaN or infinite. */
  readonly nonFinite: number;
}

/** Metrics by the names that command lines use; `better` is the direction of less error. */
export const metricNames = ["cosine-similarity", "mse", "mre", "sqnr", "chebyshev"] as const;
export type MetricName = typeof metricNames[number];

/** One figure by its command line name. */
export function metric(m: Metrics, name: MetricName): number {
  return name === "cosine-similarity" ? m.cosine : m[name];
}

/** Whether a larger figure is a smaller error. */
export function largerIsBetter(name: MetricName): boolean {
  return name === "cosine-similarity" || name === "sqnr";
}

/**
 * Tensors at one length: what one of them lacks counts as 0. Only outputs whose size the values decide
 * (NonMaxSuppression, NonZero) have different lengths.
 */
export function sameLength(tensors: readonly Float32Array[]): readonly Float32Array[] {
  const most = tensors.reduce((n, t) => Math.max(n, t.length), 0);
  return tensors.map((t) => {
    if (t.length === most) return t;
    const out = new Float32Array(most);
    out.set(t);
    return out;
  });
}

/**
 * Distances of `other` from `reference` (d = other - reference, N elements), summed in double:
 * cosine (1 when both are all zero, 0 when one is), mse, mre (mean |d| / |reference|), sqnr in dB,
 * chebyshev = max |d|, l1 = mean |d|, l2 = ||d|| / N. Pairs with a NaN or an infinity are left out
 * and counted. (The kernel of the same name is faster; its sums are float32 inside blocks, which hides
 * errors of 1 - cosine below 1e-9.) Throws BpuError("shape") for different lengths.
 *
 * @example
 * ```ts
 * import { compare } from "./metrics.ts";
 * const m = compare(Float32Array.of(3, 4), Float32Array.of(3, 5));
 * console.log(m.chebyshev, m.l1, m.l2); // 1 0.5 0.5
 * ```
 */
export function compare(reference: Float32Array, other: Float32Array): Metrics {
  const all = reference.length;
  if (other.length !== all) {
    throw new BpuError(
      "shape",
      `tensors of ${all} and ${other.length} elements cannot be compared`,
    );
  }
  let n = 0, aa = 0, bb = 0, ab = 0, dd = 0, d1 = 0, rel = 0, top = 0;
  for (let i = 0; i < all; i++) {
    const a = reference[i]!, b = other[i]!, d = Math.abs(b - a);
    if (!(d < Infinity)) continue; // a NaN or an infinity on either side
    n++;
    aa += a * a;
    bb += b * b;
    ab += a * b;
    dd += d * d;
    d1 += d;
    rel += d === 0 ? 0 : a === 0 ? 1 : d / Math.abs(a);
    if (d > top) top = d;
  }
  return { ...distances(n, { aa, bb, ab, dd, d1, rel, top }), nonFinite: all - n };
}
