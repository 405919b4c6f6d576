/**
 * Sums of doubles that do not depend on the order of the terms.
 *
 * @module
 */

/**
 * Adds doubles without rounding (Shewchuk's non-overlapping expansions) and rounds once, at the end.
 *
 * @example
 * ```ts
 * import { ExactSum } from "./exact_sum.ts";
 * const s = new ExactSum();
 * for (const x of [1e16, 1, -1e16]) s.add(x);
 * console.log(s.value()); // 1
 * ```
 */
export class ExactSum {
  /** Parts of increasing magnitude that do not overlap; their sum is the exact sum. */
  #parts: number[] = [];

  /** Adds a finite number. */
  add(x: number): void {
    const parts = this.#parts;
    let kept = 0;
    for (const part of parts) {
      const [big, small] = Math.abs(x) < Math.abs(part) ? [part, x] : [x, part];
      const sum = big + small;
      const rest = small - (sum - big);
      if (rest !== 0) parts[kept++] = rest;
      x = sum;
    }
    parts.length = kept;
    parts.push(x);
  }

  /** Adds another sum, exactly. */
  merge(other: ExactSum): void {
    for (const part of other.#parts.slice()) this.add(part);
  }

  /** The sum, rounded to nearest even. */
  value(): number {
    const parts = this.#parts;
    let i = parts.length - 1;
    if (i < 0) return 0;
    let sum = parts[i]!;
    let rest = 0;
    while (i > 0) {
      const x = sum, y = parts[--i]!;
      sum = x + y;
      rest = y - (sum - x);
      if (rest !== 0) break;
    }
    // A remainder of exactly half a unit rounds by the sign of what lies below it.
    if (i > 0 && (rest < 0) === (parts[i - 1]! < 0)) {
      const twice = rest * 2, up = sum + twice;
      if (twice === up - sum) sum = up;
    }
    return sum;
  }
}
