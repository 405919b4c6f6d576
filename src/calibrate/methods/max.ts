/**
 * Threshold: the largest magnitude.
 *
 * @module
 */

import { mustHaveSamples, type TensorStats } from "../stats.ts";

/** The largest magnitude seen; 0 for a tensor of zeros. */
export function maxThreshold(s: TensorStats): number {
  mustHaveSamples(s);
  return s.absmax;
}

/** Range for asymmetric quantization: the exact one, widened to hold 0. */
export function maxRange(s: TensorStats): { min: number; max: number } {
  mustHaveSamples(s);
  return { min: Math.min(0, s.min), max: Math.max(0, s.max) };
}
