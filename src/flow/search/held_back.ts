/**
 * Calibration samples in two parts: those that set numbers, and those that only judge.
 *
 * @module
 */

/** Indices of samples. */
export interface Split {
  /** Thresholds and corrections come from these. */
  readonly observed: readonly number[];
  /** Recipes are compared on these. */
  readonly held: readonly number[];
}

/** Most samples that are held back. */
const MOST = 16;
/** Fewer samples than this are not split. */
const FEW = 9;

/** `n` of the numbers below `count`, evenly spread. */
export function spread(count: number, n: number): number[] {
  return Array.from({ length: n }, (_, i) => Math.floor((i + 0.5) * count / n));
}

/**
 * Splits `count` samples: every third is held back, at most 16, spread over all. With fewer than nine
 * samples all do both: one or two that are held back are worse judges than eight that are not.
 */
export function splitSamples(count: number): Split {
  const all = Array.from({ length: count }, (_, i) => i);
  if (count < FEW) return { observed: all, held: all };
  const n = Math.min(MOST, Math.floor(count / 3));
  const held = spread(count, n);
  const out = new Set(held);
  return { observed: all.filter((i) => !out.has(i)), held };
}
