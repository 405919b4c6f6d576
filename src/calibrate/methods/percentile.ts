/**
 * Threshold: a quantile of the magnitudes.
 *
 * @module
 */

import { BpuError } from "../../errors.ts";
import { magnitudes } from "../magnitudes.ts";
import { mustHaveSamples, type TensorStats } from "../stats.ts";

function check(q: number): void {
  if (!(q > 0 && q <= 1)) {
    throw new BpuError("config", `a percentile must be above 0 and at most 1, not ${q}`);
  }
}

/** Value below which `want` of the elements of a histogram lie, linear inside a bin. */
function quantile(counts: Float64Array, width: number, want: number): number {
  let below = 0, last = 0;
  for (let i = 0; i < counts.length; i++) {
    const n = counts[i]!;
    if (n === 0) continue;
    if (below + n >= want) return (i + Math.max(0, want - below) / n) * width;
    below += n;
    last = (i + 1) * width;
  }
  return last;
}

/**
 * The magnitude below which the fraction `q` (above 0, at most 1) of all elements lies; exact zeros
 * count. `q = 1` is the exact maximum. When more than `q` of the elements are 0, the quantile of the
 * others is taken: a threshold of 0 would erase the tensor.
 */
export function percentileThreshold(s: TensorStats, q: number): number {
  mustHaveSamples(s);
  check(q);
  if (q === 1 || s.absmax === 0) return s.absmax;
  const m = magnitudes(s);
  const want = q * s.count - s.zeros;
  const t = quantile(m.counts, m.width, want > 0 ? want : q * m.total);
  return Math.min(t, s.absmax);
}

/**
 * Range for asymmetric quantization that leaves out `1 - q` of the elements, half of them at each
 * end, and holds 0.
 */
export function percentileRange(s: TensorStats, q: number): { min: number; max: number } {
  mustHaveSamples(s);
  check(q);
  const exact = { min: Math.min(0, s.min), max: Math.max(0, s.max) };
  if (q === 1) return exact;
  const out = (1 - q) / 2 * s.count;
  const side = (counts: Float64Array): number => {
    const total = counts.reduce((a, b) => a + b, 0);
    return total <= out ? 0 : quantile(counts, s.width, total - out);
  };
  const min = Math.max(exact.min, -side(s.negative)), max = Math.min(exact.max, side(s.positive));
  return min === 0 && max === 0 ? exact : { min, max };
}
