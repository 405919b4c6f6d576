/**
 * Threshold of the smallest Kullback-Leibler divergence between the clipped distribution of
 * magnitudes and its quantized form (Migacz, "8-bit inference with TensorRT", GTC 2017).
 *
 * @module
 */

import { magnitudes } from "../histogram.ts";
import { mustHaveSamples, type TensorStats } from "../stats.ts";

/** Logarithm of the probability that Q gives to a bin that is empty in it but not in P. */
const logEmpty = Math.log(1e-30);

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
 * For every i from `levels` to the number of bins: P is the first i bins with everything beyond added
 * to the last of them; Q is the first i bins merged into `levels` groups [floor(g i / levels),
 * floor((g + 1) i / levels)), the sum of a group spread evenly over its non-empty bins. The threshold
 * is (i + 1/2) bin widths for the i of the smallest KL(P || Q), the larger i on ties, and at most the
 * exact maximum.
 *
 * Exact zeros are left out of P and Q: every scale represents them, and after a Relu they would be
 * most of the mass. Where bin i - 1 is empty but something lies beyond, Q is 0 where P is not; it is
 * taken as 1e-30 there. (Without that, one far outlier in an otherwise short histogram could never be
 * clipped.) A tensor with at most `levels` bins in use is not clipped.
 *
 * KL is evaluated from prefix sums of h, of its non-empty bins and of h ln h, which is exact and
 * costs O(bins * levels).
 */
export function klThreshold(s: TensorStats, options: KlOptions = {}): KlResult {
  mustHaveSamples(s);
  const levels = options.levels ?? 128;
  const m = magnitudes(s, options.bins ?? 2048);
  const h = m.counts, n = h.length;
  if (n <= levels) return { threshold: s.absmax, divergence: 0, curve: new Float64Array(0) };

  const sum = new Float64Array(n + 1), filled = new Float64Array(n + 1);
  const entropy = new Float64Array(n + 1);
  for (let i = 0; i < n; i++) {
    const c = h[i]!;
    sum[i + 1] = sum[i]! + c;
    filled[i + 1] = filled[i]! + (c > 0 ? 1 : 0);
    entropy[i + 1] = entropy[i]! + (c > 0 ? c * Math.log(c) : 0);
  }
  const total = m.total;
  const curve = new Float64Array(n - levels + 1);
  let best = n, least = Infinity;
  for (let i = levels; i <= n; i++) {
    const kept = sum[i]!, out = total - kept;
    let kl = Infinity;
    if (kept > 0) {
      const onEmpty = h[i - 1]! === 0;
      let cross = onEmpty ? out * (logEmpty + Math.log(kept)) : 0, from = 0;
      for (let g = 1; g <= levels; g++) {
        const to = Math.floor(g * i / levels);
        const group = sum[to]! - sum[from]!;
        if (group > 0) {
          const p = g === levels && !onEmpty ? group + out : group;
          cross += p * Math.log(group / (filled[to]! - filled[from]!));
        }
        from = to;
      }
      const last = h[i - 1]! + out;
      const own = entropy[i - 1]! + (last > 0 ? last * Math.log(last) : 0);
      kl = (own - cross) / total - Math.log(total) + Math.log(kept);
    }
    curve[i - levels] = kl;
    if (kl <= least) {
      least = kl;
      best = i;
    }
  }
  return { threshold: Math.min((best + 0.5) * m.width, s.absmax), divergence: least, curve };
}
