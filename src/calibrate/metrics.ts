/**
 * How far a tensor is from its reference: the figures of all tables and searches.
 *
 * @module
 */

import { compare as distances, type Distances } from "../kernels/compare.ts";

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
 * Distances of `other` from `reference` (d = other - reference, N elements), summed in double:
 * cosine (1 when both are all zero, 0 when one is), mse, mre (mean |d| / |reference|), sqnr in dB,
 * chebyshev = max |d|, l1 = mean |d|, l2 = ||d|| / N. Pairs with a NaN or an infinity are left out
 * and counted. Throws BpuError("shape") for different lengths.
 *
 * @example
 * ```ts
 * import { compare } from "./metrics.ts";
 * const m = compare(Float32Array.of(3, 4), Float32Array.of(3, 5));
 * console.log(m.chebyshev, m.l1, m.l2); // 1 0.5 0.5
 * ```
 */
export function compare(reference: Float32Array, other: Float32Array): Metrics {
  const all = distances(reference, other);
  if (Number.isFinite(all.mse) && Number.isFinite(all.cosine)) return { ...all, nonFinite: 0 };
  const keep = new Float32Array(reference.length), kept = new Float32Array(reference.length);
  let n = 0;
  for (let i = 0; i < reference.length; i++) {
    const a = reference[i]!, b = other[i]!;
    if (!Number.isFinite(a) || !Number.isFinite(b)) continue;
    keep[n] = a;
    kept[n++] = b;
  }
  return {
    ...distances(keep.subarray(0, n), kept.subarray(0, n)),
    nonFinite: reference.length - n,
  };
}
