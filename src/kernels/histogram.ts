/**
 * Streaming histogram of magnitudes with a fixed number of bins. The bin width is a power of two and
 * doubles when a value does not fit, so the result depends on the samples only, not on their order.
 *
 * @module
 */

import { BpuError } from "../errors.ts";
import { floorLog2 } from "./arithmetic_ref.ts";
import { scratch } from "./scratch.ts";

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
    const { arena, block, at, out } = scratch();
    const mark = arena.mark();
    const bytes = 16 * this.bins, table = arena.alloc(bytes);
    arena.u8(table, bytes).fill(0);
    // Counts of the current width wait in the table.
    const fold = () => {
      const t = arena.i32(table, 4 * this.bins);
      for (let i = 0; i < t.length; i++) {
        if (t[i] !== 0) this.counts[i % this.bins]! += t[i]! >>> 0;
      }
      t.fill(0);
    };
    for (let i = 0; i < data.length; i += block) {
      const n = Math.min(block, data.length - i), part = data.subarray(i, i + n);
      arena.f32(at, n).set(part);
      arena.core.rangeF32(at, n, out);
      const [min, max] = arena.f32(out, 2), [, , zeros, nans] = arena.i32(out, 4);
      if (min! === -Infinity || max! === Infinity || nans !== 0) {
        fold();
        this.#addSlowly(part.filter((v) => v < Infinity && v > -Infinity), n);
        continue;
      }
      this.min = Math.min(this.min, min!);
      this.max = Math.max(this.max, max!);
      const exponent = this.#exponentFor(Math.max(-min!, max!));
      if (exponent !== null && (this.#exponent === null || exponent > this.#exponent)) {
        fold();
        this.#widen(exponent);
      }
      const e = this.#exponent ?? 0;
      if (Math.abs(e) > 120) {
        this.#addSlowly(part, n);
        continue;
      }
      arena.core.histogramF32(at, n, 2 ** -e, table, this.bins);
      this.total += n;
      this.zeros += zeros!;
    }
    fold();
    arena.release(mark);
  }

  /** Samples that are all finite; `offered` of them before the others were left out. */
  #addSlowly(data: Float32Array, offered: number): void {
    this.invalid += offered - data.length;
    let top = 0;
    for (const v of data) {
      this.min = Math.min(this.min, v);
      this.max = Math.max(this.max, v);
      top = Math.max(top, Math.abs(v));
      if (v === 0) this.zeros++;
    }
    const exponent = this.#exponentFor(top);
    if (exponent !== null) this.#widen(exponent);
    const scale = this.#exponent === null ? 0 : 2 ** -this.#exponent;
    for (const v of data) this.counts[Math.floor(Math.abs(v) * scale)]! += 1;
    this.total += data.length;
  }

  /** Exponent of the bin width that a magnitude needs. */
  #exponentFor(top: number): number | null {
    return top > 0 ? floorLog2(top / this.bins) + 1 : null;
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
