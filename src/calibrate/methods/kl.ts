/**
 * Threshold of the smallest Kullback-Leibler divergence between the clipped distribution of
 * magnitudes and its quantized form (Migacz, "8-bit inference with TensorRT", GTC 2017).
 *
 * @module
 */

import { klCurve } from "../../kernels/threshold.ts";
import { magnitudes } from "../magnitudes.ts";
import { mustHaveSamples, type TensorStats } from "../stats.ts";

/** Probability that Q gives to a bin that is empty in it but not in P. */
const EMPTY = 1e-30;

/** Options of {@linkcode klThreshold}. */
export interface KlOptions {
  /** Most bins of the histogram that is searched; between half of them and all are used. */
  readonly bins?: number;
  /** Magnitudes that the quantized type has: 128 for int8. */
  readonly levels?: number;
}

/** Result of {@linkcode klThreshold}. */
export interface KlResult {
  readonly threshold: number;
  /** Divergence at the threshold, in nats. */
  readonly divergence: number;
  /** Divergence for `levels`, `levels + 1`, ... bins; Infinity where nothing is left. */
  readonly curve: Float64Array;
}

/**
 * The threshold is (i + 1/2) bin widths for the number of bins i of the smallest divergence
 * ({@linkcode klCurve}), the larger i on ties, and at most the exact maximum.
 *
 * Exact zeros are left out of P and Q: every scale represents them, and after a Relu they would be
 * most of the mass. Where bin i - 1 is empty but something lies beyond, Q is 0 where P is not; it is
 * taken as 1e-30 there. (Without that, one far outlier in an otherwise short histogram could never be
 * clipped.) A tensor with at most `levels` bins in use is not clipped.
 */
export function klThreshold(s: TensorStats, options: KlOptions = {}): KlResult {
  mustHaveSamples(s);
  const levels = options.levels ?? 128;
  const m = magnitudes(s, options.bins ?? 2048);
  const h = m.counts, n = h.length;
  if (n <= levels) return { threshold: s.absmax, divergence: 0, curve: new Float64Array(0) };

  const curve = klCurve(h, levels, EMPTY);
  let best = n, least = Infinity;
  for (const [k, kl] of curve.entries()) {
    if (kl <= least) {
      least = kl;
      best = k + levels;
    }
  }
  return { threshold: Math.min((best + 0.5) * m.width, s.absmax), divergence: least, curve };
}
