/**
 * Views of the histogram in {@linkcode TensorStats} that the threshold methods share.
 *
 * @module
 */

import { BpuError } from "../errors.ts";
import type { TensorStats } from "./stats.ts";

/** Throws BpuError("internal") for statistics that hold ranges only. */
export function mustHaveHistogram(s: TensorStats): void {
  if (s.width > 0 || s.absmax === 0) return;
  throw new BpuError("internal", "only the range of this tensor was observed", { tensor: s.name });
}

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
  mustHaveHistogram(s);
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

/**
 * Part of the symmetric range -t..t that a tensor occupies when it is cut at t: the steps of an
 * asymmetric type are that much finer. 1/2 for one sign only.
 */
export function shareOfRange(s: TensorStats, t: number): number {
  if (!(t > 0)) return 1;
  const min = Math.max(Math.min(0, s.min), -t), max = Math.min(Math.max(0, s.max), t);
  return (max - min) / (2 * t);
}
