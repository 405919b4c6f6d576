/**
 * The comparison of `hb_verifier`: counts, rates and the original's report.
 *
 * @module
 */

/** Figures of two results. */
export interface Consistency {
  /** Values that one side has and the other has not. */
  readonly miss: number;
  /** Values that differ by more than the digits allow. */
  readonly diff: number;
  /** Pairs with a NaN. */
  readonly nan: number;
  readonly total: number;
  /** Largest |a - b| / max(|a|, |b|) among the values that differ. */
  readonly ratio: number;
  /** Largest |a - b|. */
  readonly maxAbsolute: number;
}

/** Nothing compared yet. */
export const noValues: Consistency = {
  miss: 0,
  diff: 0,
  nan: 0,
  total: 0,
  ratio: 0,
  maxAbsolute: 0,
};

/**
 * Compares values: two are equal when they differ by at most half a unit of the last of `digits`
 * decimals, so that both round to neighbours at most.
 */
export function consistency(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  digits: number,
): Consistency {
  const limit = 0.5 * 10 ** -digits;
  const n = Math.min(a.length, b.length);
  let diff = 0, nan = 0, ratio = 0, maxAbsolute = 0;
  for (let i = 0; i < n; i++) {
    const x = a[i]!, y = b[i]!;
    if (Number.isNaN(x) || Number.isNaN(y)) {
      nan++;
      continue;
    }
    if (x === y) continue;
    const d = Math.abs(x - y);
    maxAbsolute = Math.max(maxAbsolute, d);
    if (d <= limit) continue;
    diff++;
    ratio = Math.max(ratio, Number.isFinite(d) ? d / Math.max(Math.abs(x), Math.abs(y)) : Infinity);
  }
  const total = Math.max(a.length, b.length);
  return { miss: total - n, diff, nan, total, ratio, maxAbsolute };
}

/** Two comparisons as one. */
export function together(a: Consistency, b: Consistency): Consistency {
  return {
    miss: a.miss + b.miss,
    diff: a.diff + b.diff,
    nan: a.nan + b.nan,
    total: a.total + b.total,
    ratio: Math.max(a.ratio, b.ratio),
    maxAbsolute: Math.max(a.maxAbsolute, b.maxAbsolute),
  };
}

/** Values that do not agree. */
export const mismatches = (c: Consistency): number => c.miss + c.diff + c.nan;

/** A float as Python prints it. */
const real = (v: number) => Number.isInteger(v) ? v.toFixed(1) : String(v);
const five = (v: number) => Number.isFinite(v) ? real(Number(v.toFixed(5))) : String(v);

/** Lines of a comparison that failed, without the last sentence. */
export function mismatchLines(left: string, right: string, c: Consistency): string[] {
  const stars = "*".repeat(28);
  const bad = mismatches(c);
  return [
    `compare source: ${left} VS ${right}`,
    `mismatch result num: ${bad}`,
    stars,
    `mismatch.line_miss num: ${c.miss}`,
    `mismatch.line_diff num: ${c.diff}`,
    `mismatch.line_nan num: ${c.nan}`,
    stars,
    `total result num: ${c.total}`,
    `mismatch rate: ${real(c.total === 0 ? 0 : bad / c.total)}`,
    `relative mismatch ratio: ${five(c.ratio)}`,
    `max abs error: ${five(c.maxAbsolute)}`,
  ];
}

/** The sentence that says how a comparison ended. */
export function verdict(left: string, right: string, c: Consistency): string {
  return `${left} and ${right} result Strict check ${mismatches(c) === 0 ? "PASSED" : "FAILED"}`;
}
