/**
 * What one pass over the data remembers of a tensor: exact ranges and a histogram. The memory is fixed
 * and the result depends on the multiset of samples only, not on their order.
 *
 * @module
 */

import { BpuError } from "../errors.ts";
import { numbersOf, shapeText, type Tensor } from "../ir/tensor.ts";
import { ExactSum } from "./exact_sum.ts";

/** Bins per sign. Between half of them and all of them are in use. */
export const BINS = 8192;
/** Smallest bin width is 2^-160: it covers every float32. */
const smallest = -160;

/** Range of every channel (axis 1) over all samples. */
export interface ChannelRange {
  readonly min: Float32Array;
  readonly max: Float32Array;
}

/** Statistics of a tensor over all samples. NaN and infinities are counted and left out. */
export interface TensorStats {
  readonly name: string;
  /** Finite elements seen. */
  readonly count: number;
  /** NaN and infinities seen. */
  readonly nonFinite: number;
  /** Elements that are exactly 0. */
  readonly zeros: number;
  /** Exact; 0 when nothing was seen. */
  readonly min: number;
  readonly max: number;
  readonly absmax: number;
  readonly sum: number;
  readonly sumsq: number;
  /** Width of a bin, a power of two; 0 when no element differs from 0. */
  readonly width: number;
  /** `positive[i]`: elements with width * i <= x < width * (i + 1), exact zeros left out. */
  readonly positive: Float64Array;
  /** The same of -x. */
  readonly negative: Float64Array;
  /** Absent for tensors without a channel axis, or whose number of channels changes. */
  readonly channels?: ChannelRange;
}

/** Exponent of the narrowest power-of-two bins that hold `absmax` (> 0) in `bins` bins. */
function exponentFor(absmax: number, bins: number): number {
  let e = Math.max(smallest, Math.ceil(Math.log2(absmax / bins)));
  while (e > smallest && bins * 2 ** (e - 1) > absmax) e--;
  while (bins * 2 ** e <= absmax) e++;
  return e;
}

/** Float64 values to float32 keep their order, so they may be counted as float32. */
function floats(t: Tensor): Float32Array {
  if (t.data instanceof Float32Array) return t.data;
  return Float32Array.from(numbersOf(t));
}

/** Gathers {@linkcode TensorStats} tensor by tensor. */
export class Observer {
  readonly name: string;
  readonly #bins: number;
  readonly #positive: Float64Array;
  readonly #negative: Float64Array;
  /** Counts of the tensor at hand, both signs. */
  readonly #scratch: Uint32Array;
  readonly #sum = new ExactSum();
  readonly #sumsq = new ExactSum();
  #exponent: number | undefined;
  #count = 0;
  #nonFinite = 0;
  #zeros = 0;
  #min = Infinity;
  #max = -Infinity;
  #channels: ChannelRange | undefined | null;

  constructor(name: string, bins: number = BINS) {
    if (!Number.isInteger(Math.log2(bins)) || bins < 128 || bins > 2 ** 20) {
      throw new BpuError("internal", `a histogram of ${bins} bins`);
    }
    this.name = name;
    this.#bins = bins;
    this.#positive = new Float64Array(bins);
    this.#negative = new Float64Array(bins);
    this.#scratch = new Uint32Array(2 * bins);
  }

  /** Adds one sample of the tensor. */
  add(t: Tensor): void {
    let data = floats(t);
    if (data.length === 0) return;
    const range = this.#ranges(t.shape, data);
    if (range.finite < data.length) {
      this.#nonFinite += data.length - range.finite;
      data = data.filter(Number.isFinite);
      if (data.length === 0) return;
    }
    this.#min = Math.min(this.#min, range.min);
    this.#max = Math.max(this.#max, range.max);
    this.#count += data.length;
    const absmax = Math.max(range.max, -range.min);
    if (absmax === 0) {
      this.#zeros += data.length;
      return;
    }
    this.#widen(exponentFor(absmax, this.#bins));
    this.#histogram(data);
  }

  /** Exact range of the tensor, and of its channels into `#channels`. */
  #ranges(shape: readonly number[], data: Float32Array) {
    const channels = shape.length >= 2 ? shape[1]! : 1;
    const outer = shape.length >= 2 ? shape[0]! : 1;
    const inner = data.length / (outer * channels);
    const own = this.#channelsFor(shape.length >= 2 ? channels : undefined);
    let least = Infinity, most = -Infinity, finite = 0, at = 0;
    for (let o = 0; o < outer; o++) {
      for (let c = 0; c < channels; c++) {
        let lo = Infinity, hi = -Infinity, n = 0;
        for (const end = at + inner; at < end; at++) {
          const v = data[at]!;
          if (v - v === 0) { // neither NaN nor infinite
            n++;
            if (v < lo) lo = v;
            if (v > hi) hi = v;
          }
        }
        finite += n;
        if (lo < least) least = lo;
        if (hi > most) most = hi;
        if (own !== undefined) {
          if (lo < own.min[c]!) own.min[c] = lo;
          if (hi > own.max[c]!) own.max[c] = hi;
        }
      }
    }
    return { min: least, max: most, finite };
  }

  #channelsFor(count: number | undefined): ChannelRange | undefined {
    if (this.#channels === undefined) {
      this.#channels = count === undefined ? null : {
        min: new Float32Array(count).fill(Infinity),
        max: new Float32Array(count).fill(-Infinity),
      };
    } else if (this.#channels?.min.length !== count) this.#channels = null;
    return this.#channels ?? undefined;
  }

  /** Doubles the bin width until it is 2^exponent. Merging pairs of bins is exact. */
  #widen(exponent: number): void {
    const old = this.#exponent;
    if (old !== undefined && exponent <= old) return;
    this.#exponent = exponent;
    if (old === undefined) return;
    const factor = 2 ** (old - exponent);
    for (const counts of [this.#positive, this.#negative]) {
      for (let i = 1; i < counts.length; i++) {
        const n = counts[i]!;
        if (n === 0) continue;
        counts[i] = 0;
        counts[Math.floor(i * factor)]! += n;
      }
    }
  }

  #histogram(data: Float32Array): void {
    const bins = this.#bins, scratch = this.#scratch.fill(0);
    const scale = 2 ** -this.#exponent!;
    const signs = new Int32Array(data.buffer, data.byteOffset, data.length);
    let sum = 0, sumsq = 0, zeros = 0;
    for (let i = 0; i < data.length; i++) {
      const v = data[i]!, bits = signs[i]!;
      sum += v;
      sumsq += v * v;
      if (bits << 1 === 0) zeros++; // either zero
      scratch[(bits >>> 31) * bins + ((Math.abs(v) * scale) | 0)]!++;
    }
    this.#sum.add(sum);
    this.#sumsq.add(sumsq);
    this.#zeros += zeros;
    let negativeZeros = 0;
    for (let i = 0; zeros > 0 && i < data.length; i++) if (Object.is(data[i], -0)) negativeZeros++;
    scratch[0]! -= zeros - negativeZeros;
    scratch[bins]! -= negativeZeros;
    for (let i = 0; i < bins; i++) {
      this.#positive[i]! += scratch[i]!;
      this.#negative[i]! += scratch[bins + i]!;
    }
  }

  /** What has been gathered so far. The arrays are copies. */
  stats(): TensorStats {
    const seen = this.#count > 0;
    const min = seen ? this.#min : 0, max = seen ? this.#max : 0;
    const channels = this.#channels;
    return {
      name: this.name,
      count: this.#count,
      nonFinite: this.#nonFinite,
      zeros: this.#zeros,
      min,
      max,
      absmax: Math.max(max, -min),
      sum: this.#sum.value(),
      sumsq: this.#sumsq.value(),
      width: this.#exponent === undefined ? 0 : 2 ** this.#exponent,
      positive: this.#positive.slice(),
      negative: this.#negative.slice(),
      ...(channels ? { channels: { min: channels.min.slice(), max: channels.max.slice() } } : {}),
    };
  }
}

/** Statistics of tensors that are at hand, all samples at once. */
export function statsOf(name: string, samples: Iterable<Tensor>, bins: number = BINS): TensorStats {
  const o = new Observer(name, bins);
  for (const t of samples) o.add(t);
  return o.stats();
}

/** Throws BpuError("calibration") when nothing was seen of a tensor. */
export function mustHaveSamples(s: TensorStats): void {
  if (s.count > 0) return;
  const why = s.nonFinite > 0
    ? "only NaN and infinities were seen"
    : `no values were seen (shape ${shapeText([0])})`;
  throw new BpuError("calibration", `no threshold can be found: ${why}`, { tensor: s.name });
}
