/**
 * Streaming histogram of magnitudes with a fixed number of bins. The bin width is a power of two and
 * doubles when a value does not fit, so the result depends on the samples only, not on their order.
 *
 * @module
 */

import { BpuError } from "../errors.ts";
import { floorLog2 } from "./arithmetic_ref.ts";
import { minmax } from "./statistics.ts";

/**
 * Histogram of |x|.
 *
 * @example
 * ```ts
 * import { Histogram } from "./histogram.ts";
 * const h = new Histogram(2048);
 * h.add(Float32Array.of(0, -1, 2.5));
 * console.log(h.total, h.absmax); // 3 2.5
 * ```
 */
export class Histogram {
  /** Samples per bin: bin i counts width * i <= |x| < width * (i + 1). */
  readonly counts: Float64Array;
  #exponent: number | null = null;
  /** Finite samples. */
  total = 0;
  /** Samples that are 0 (they are also in bin 0). */
  zeros = 0;
  /** NaN and infinite samples, counted nowhere else. */
  invalid = 0;
  min = Infinity;
  max = -Infinity;

  /** `bins`: 2 or more; 2048 and 8192 are usual. */
  constructor(bins = 2048) {
    if (!(Number.isInteger(bins) && bins >= 2 && bins <= 2 ** 24)) {
      throw new BpuError("limit", `a histogram of ${bins} bins`);
    }
    this.counts = new Float64Array(bins);
  }

  get bins(): number {
    return this.counts.length;
  }

  /** Bin width, a power of two; 0 before the first non-zero sample. */
  get width(): number {
    return this.#exponent === null ? 0 : 2 ** this.#exponent;
  }

  /** Largest magnitude. */
  get absmax(): number {
    return this.total === 0 ? 0 : Math.max(-this.min, this.max, 0);
  }

  /** Bins up to that of the largest magnitude. */
  get used(): number {
    return this.width === 0 ? 0 : Math.floor(this.absmax / this.width) + 1;
  }

  /** Counts every sample of a tensor. */
  add(data: Float32Array): void {
    this.#cover(data);
    const counts = this.counts, scale = this.#exponent === null ? 0 : 2 ** -this.#exponent;
    let total = 0, zeros = 0;
    for (let i = 0; i < data.length; i++) {
      const v = Math.abs(data[i]!);
      if (!(v < Infinity)) continue;
      counts[Math.floor(v * scale)]! += 1;
      total++;
      if (v === 0) zeros++;
    }
    this.total += total;
    this.zeros += zeros;
    this.invalid += data.length - total;
  }

  /** Adds another histogram of the same number of bins. */
  merge(other: Histogram): void {
    if (other.bins !== this.bins) throw new BpuError("internal", "histograms of different sizes");
    this.min = Math.min(this.min, other.min);
    this.max = Math.max(this.max, other.max);
    if (other.#exponent !== null) this.#widen(other.#exponent);
    const shift = other.#exponent === null ? 0 : this.#exponent! - other.#exponent;
    for (let i = 0; i < this.bins; i++) {
      this.counts[Math.floor(i * 2 ** -shift)]! += other.counts[i]!;
    }
    this.total += other.total;
    this.zeros += other.zeros;
    this.invalid += other.invalid;
  }

  #cover(data: Float32Array): void {
    let { min, max } = minmax(data);
    if (min === -Infinity || max === Infinity) {
      ({ min, max } = minmax(data.filter(Number.isFinite)));
    }
    if (data.length === 0) return;
    this.min = Math.min(this.min, min);
    this.max = Math.max(this.max, max);
    const top = Math.max(-min, max);
    if (top > 0) this.#widen(Math.max(floorLog2(top / this.bins) + 1, -160));
  }

  #widen(exponent: number): void {
    const old = this.#exponent;
    if (old !== null && exponent <= old) return;
    this.#exponent = exponent;
    if (old === null) return;
    const factor = 2 ** (old - exponent), counts = this.counts;
    for (let i = 1; i < this.bins; i++) {
      const n = counts[i]!;
      counts[i] = 0;
      counts[Math.floor(i * factor)]! += n;
    }
  }
}
