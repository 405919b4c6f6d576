/**
 * Threshold by OCTAV: the fixed point that balances clipping and rounding noise (Sakr et al.,
 * "Optimal clipping and magnitude-aware differentiation for improved quantization-aware training",
 * ICML 2022).
 *
 * @module
 */

import { magnitudes, shareOfRange } from "../magnitudes.ts";
import { mustHaveSamples, type TensorStats } from "../stats.ts";

/** Options of {@linkcode octavThreshold}. */
export interface OctavOptions {
  /** Bits of the quantized type; default 8. */
  readonly bits?: number;
  /** With a zero point: the steps are those of the observed range, cut at the threshold. */
  readonly zeros?: boolean;
}

/**
 * Iterates s = sum(|x| above s) / (4^-bits / 3 * #(0 < |x| <= s) + #(|x| > s)) from the mean magnitude
 * of the non-zero elements, until it moves by less than 1e-6 of itself. Elements inside a bin are
 * taken as evenly spread. The result is at most the exact maximum. With a zero point the noise is that
 * of the finer steps.
 */
export function octavThreshold(s: TensorStats, options: OctavOptions = {}): number {
  mustHaveSamples(s);
  const { counts, width, total, absmax } = magnitudes(s);
  if (absmax === 0) return 0;
  const n = counts.length;
  /** Elements in bin i and above, and the sum of their magnitudes. */
  const above = new Float64Array(n + 1), mass = new Float64Array(n + 1);
  for (let i = n - 1; i >= 0; i--) {
    above[i] = above[i + 1]! + counts[i]!;
    mass[i] = mass[i + 1]! + counts[i]! * Math.min((i + 0.5) * width, absmax);
  }
  const share = (t: number) => options.zeros === true ? shareOfRange(s, t) : 1;
  const noise = 4 ** -(options.bits ?? 8) / 3;
  let t = mass[0]! / total;
  for (let round = 0; round < 100; round++) {
    const i = Math.min(Math.floor(t / width), n - 1);
    // the part of bin i that lies above t
    const rest = Math.max(0, i + 1 - t / width);
    const outside = above[i + 1]! + counts[i]! * rest;
    const sum = mass[i + 1]! + counts[i]! * rest * (i + 1 - rest / 2) * width;
    const next = Math.min(absmax, sum / (noise * share(t) ** 2 * (total - outside) + outside));
    const done = Math.abs(next - t) <= 1e-6 * t;
    t = next;
    if (done || !(t > 0)) break;
  }
  return t > 0 ? t : absmax;
}
