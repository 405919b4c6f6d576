/**
 * Streaming histogram of a tensor's values with a fixed number of bins. The bin width is a power of two
 * and doubles when a value does not fit, so the result depends on the values only, not on their order.
 *
 * @module
 */

import { BpuError } from "../errors.ts";
import { type Counts, tallyBlock } from "./histogram_ref.ts";
import { type Scratch, scratch } from "./scratch.ts";
import { type Order, partRanges } from "./statistics.ts";

/** Smallest exponent of a bin width: it covers every float32. */
const smallest = -160;
/** Beyond these exponents the factor of the kernel is no normal float32. */
const largestFactor = 120;

/** Exponent of the narrowest power-of-two bins that hold `absmax` (> 0) in `bins` bins. */
function exponentFor(absmax: number, bins: number): number {
  let e = Math.max(smallest, Math.ceil(Math.log2(absmax / bins)));
  while (e > smallest && bins * 2 ** (e - 1) > absmax) e--;
  while (bins * 2 ** e <= absmax) e++;
  return e;
}

/** The two cleared tables of the kernel, one size at a time. */
let tables: { readonly shift: number; readonly at: number } | undefined;

function tablesFor(s: Scratch, shift: number): number {
  if (tables === undefined || tables.shift < shift) {
    const bytes = 16 << shift, at = s.arena.alloc(bytes);
    s.arena.u8(at, bytes).fill(0);
    tables = { shift, at };
  }
  return tables.at;
}

/** A part of a tensor that fits into the kernels' memory. */
interface Block {
  readonly at: number;
  readonly n: number;
  readonly order: Order;
  /** Its part of the ranges. */
  readonly from: number;
  readonly to: number;
}

/** Whole rows or pixels as they fit, or pieces of a row. */
function* blocks(s: Scratch, all: number, order: Order): Generator<Block> {
  if (order.channels !== undefined) {
    const { channels } = order;
    if (channels > s.rows) throw new BpuError("limit", `a tensor of ${channels} channels`);
    const step = Math.floor(s.block / channels) * channels;
    for (let at = 0; at < all; at += step) {
      yield { at, n: Math.min(step, all - at), order, from: 0, to: 2 * channels };
    }
    return;
  }
  const { inner } = order;
  if (inner > s.block) {
    for (let row = 0, at = 0; at < all; row++) {
      for (const end = at + inner; at < end;) {
        const n = Math.min(s.block, end - at);
        yield { at, n, order: { inner: n }, from: 2 * row, to: 2 * row + 2 };
        at += n;
      }
    }
    return;
  }
  const rows = Math.min(Math.floor(s.block / inner), s.rows);
  for (let at = 0; at < all; at += rows * inner) {
    const n = Math.min(rows * inner, all - at), from = 2 * at / inner;
    yield { at, n, order, from, to: from + 2 * n / inner };
  }
}

/**
 * Histogram of both signs.
 *
 * @example
 * ```ts
 * import { Histogram } from "./histogram.ts";
 * const h = new Histogram();
 * h.add(Float32Array.of(0, -1, 2.5));
 * console.log(h.count, h.zeros, h.min, h.max); // 3 1 -1 2.5
 * ```
 */
export class Histogram {
  readonly bins: number;
  readonly #shift: number;
  readonly #wideFrom: number;
  /** Bins of x > 0, then those of x < 0. Doubles when 32 bits no longer do. */
  #counts: Uint32Array | Float64Array;
  #exponent: number | undefined;
  #count = 0;
  #zeros = 0;
  #nonFinite = 0;
  #min = Infinity;
  #max = -Infinity;

  /**
   * `bins` per sign: a power of two; 0 keeps the ranges only. `wideFrom`: elements from which on bins
   * are counted as doubles, for tests.
   */
  constructor(bins = 8192, wideFrom: number = 2 ** 32) {
    if (bins !== 0 && !(Number.isInteger(Math.log2(bins)) && bins >= 128 && bins <= 2 ** 20)) {
      throw new BpuError("internal", `a histogram of ${bins} bins`);
    }
    this.bins = bins;
    this.#shift = Math.log2(bins);
    this.#wideFrom = wideFrom;
    this.#counts = new Uint32Array(2 * bins);
  }

  /** Finite elements that were counted. */
  get count(): number {
    return this.#count;
  }
  /** Counted elements that are 0; they are in no bin. */
  get zeros(): number {
    return this.#zeros;
  }
  /** NaN and infinities among all elements; they are in nothing else. */
  get nonFinite(): number {
    return this.#nonFinite;
  }
  /** Exact, of all elements; above `max` when there is none. */
  get min(): number {
    return this.#min;
  }
  get max(): number {
    return this.#max;
  }
  /** Width of a bin, a power of two; 0 before the first value that is not 0. */
  get width(): number {
    return this.#exponent === undefined ? 0 : 2 ** this.#exponent;
  }
  /** Elements with width * i <= x < width * (i + 1), or -x for the negative ones; a copy. */
  side(sign: "positive" | "negative"): Float64Array {
    const from = sign === "positive" ? 0 : this.bins;
    return Float64Array.from(this.#counts.subarray(from, from + this.bins));
  }

  /**
   * Adds the values of a tensor; its ranges take all values, the histogram every `stride`-th. One
   * sweep: a block is copied into the kernels' memory once.
   *
   * @param order how the values lie; default: one row
   * @param ranges receives [min, max] per row or channel, of finite values; min > max where there is none
   */
  add(
    data: Float32Array,
    stride = 1,
    order: Order = { inner: data.length },
    ranges = new Float32Array(2 * (order.channels ?? data.length / order.inner)),
  ): void {
    for (let i = 0; i < ranges.length; i++) ranges[i] = i % 2 === 0 ? Infinity : -Infinity;
    if (data.length === 0) return;
    const s = scratch();
    if (this.#count + data.length >= this.#wideFrom && this.#counts instanceof Uint32Array) {
      this.#counts = Float64Array.from(this.#counts);
    }
    const table = this.bins === 0 ? 0 : tablesFor(s, this.#shift);
    let waiting = false;
    const fold = () => {
      if (waiting) this.#fold(s, table);
      waiting = false;
    };
    for (const b of blocks(s, data.length, order)) {
      const part = data.subarray(b.at, b.at + b.n);
      s.arena.f32(s.at, b.n).set(part);
      const seen = partRanges(s, part, b.order, ranges.subarray(b.from, b.to));
      this.#nonFinite += seen.nonFinite;
      this.#widen(seen.min, seen.max, fold);
      const first = (stride - b.at % stride) % stride;
      if (this.bins === 0) this.#count += b.n - seen.nonFinite;
      else if (first < b.n) {
        const e = this.#exponent ?? 0;
        if (seen.nonFinite > 0 || Math.abs(e) > largestFactor) {
          this.#slowly(part, first, stride);
        } else {
          const { arena, out } = s, n = b.n - first;
          arena.core.tallyF32(s.at + 4 * first, n, stride, 2 ** -e, table, this.#shift, out);
          const [zeros, minusZeros] = arena.i32(out, 2);
          this.#take(zeros!, minusZeros!, Math.ceil(n / stride));
          waiting = true;
        }
      }
    }
    fold();
  }

  /** Adds another histogram of the same number of bins. */
  merge(other: Histogram): void {
    if (other.bins !== this.bins) throw new BpuError("internal", "histograms of different sizes");
    if (this.#count + other.#count >= this.#wideFrom) {
      this.#counts = Float64Array.from(this.#counts);
    }
    this.#widen(other.#min, other.#max, () => {});
    const shift = (other.#exponent ?? 0) - (this.#exponent ?? 0), counts = this.#counts;
    for (const from of [0, this.bins]) {
      for (let i = 0; i < this.bins; i++) {
        counts[from + Math.floor(i * 2 ** shift)]! += other.#counts[from + i]!;
      }
    }
    this.#count += other.#count;
    this.#zeros += other.#zeros;
    this.#nonFinite += other.#nonFinite;
  }

  /** Zeros lie in the first bins of the kernel's tables, and leave them here. */
  #take(zeros: number, minusZeros: number, counted: number): void {
    this.#count += counted;
    this.#zeros += zeros;
    this.#counts[0]! -= zeros - minusZeros;
    this.#counts[this.bins]! -= minusZeros;
  }

  #fold(s: Scratch, table: number): void {
    const width = this.width, { bins } = this, counts = this.#counts;
    if (width === 0) {
      // Nothing but zeros: they lie in the first bins of both signs of both tables, and cancel.
      counts.fill(0);
      for (let k = 0; k < 4; k++) s.arena.i32(table + 4 * k * bins, 1).fill(0);
      return;
    }
    for (const [from, top] of [[0, this.#max], [bins, -this.#min]] as const) {
      const used = Math.min(bins, (Math.floor(Math.max(0, top) / width) + 4) & ~3);
      const at = table + 4 * from;
      s.arena.core.foldTables(at, used, this.#shift);
      const t = s.arena.i32(at, used);
      for (let i = 0; i < used; i++) counts[from + i]! += t[i]!;
      t.fill(0);
    }
  }

  #slowly(part: Float32Array, first: number, stride: number): void {
    const into: Counts = { counts: this.#counts, bins: this.bins, width: this.width };
    const seen = tallyBlock(part, first, stride, into);
    this.#count += seen.count;
    this.#zeros += seen.zeros;
  }

  /** Widens range and bins; `before` is called before bins are merged. Merging pairs is exact. */
  #widen(min: number, max: number, before: () => void): void {
    if (min < this.#min) this.#min = min + 0; // no minus zero: the order would show
    if (max > this.#max) this.#max = max + 0;
    const absmax = Math.max(this.#max, -this.#min), { bins } = this;
    if (bins === 0 || !(absmax > 0)) return;
    const old = this.#exponent;
    if (old !== undefined && absmax < bins * 2 ** old) return;
    const exponent = exponentFor(absmax, bins);
    before();
    this.#exponent = exponent;
    if (old === undefined) return;
    const factor = 2 ** (old - exponent), counts = this.#counts;
    for (const from of [0, bins]) {
      for (let i = 1; i < bins; i++) {
        const n = counts[from + i]!;
        if (n === 0) continue;
        counts[from + i] = 0;
        counts[from + Math.floor(i * factor)]! += n;
      }
    }
  }
}
