/**
 * What one pass over the data remembers of a tensor: exact ranges and a histogram. The memory is fixed
 * and the result depends on the multiset of samples only, not on their order.
 *
 * @module
 */

import { BpuError } from "../errors.ts";
import { numbersOf, shapeText, type Tensor } from "../ir/tensor.ts";
import { minmax } from "../kernels/statistics.ts";
import { ExactSum } from "./exact_sum.ts";

/** Smallest bin width is 2^-160: it covers every float32. */
const smallest = -160;

/** Options of {@linkcode Observer}. */
export interface ObserverOptions {
  /** Bins per sign, a power of two; default 8192. Between half of them and all are in use. */
  readonly bins?: number;
  /**
   * Elements of a sample that are counted in the histogram, about; of a larger tensor every k-th is
   * (see {@linkcode strideFor}). Ranges are exact in any case. Default 65536; Infinity counts all.
   */
  readonly quota?: number;
  /** Elements from which on bins are counted as doubles; for tests. */
  readonly wideFrom?: number;
}

/**
 * Every how many elements one is counted, so that `quota` to three times as many remain: 1, or a prime
 * that does not divide the number of elements, so that every row, column and channel gets its share.
 */
export function strideFor(elements: number, quota: number): number {
  const prime = (p: number): boolean => {
    for (let d = 2; d * d <= p; d++) if (p % d === 0) return false;
    return true;
  };
  for (let p = Math.floor(elements / quota); p >= 3; p--) {
    if (elements % p !== 0 && prime(p)) return p;
  }
  return 1;
}

/** Range of every channel (axis 1) over all samples. */
export interface ChannelRange {
  readonly min: Float32Array;
  readonly max: Float32Array;
}

/**
 * Statistics of a tensor over all samples. Ranges are exact. All counts and sums, the histogram's too,
 * are those of the elements that were counted (every element, or a regular sample of a large tensor).
 * NaN and infinities are left out of everything but `nonFinite`.
 */
export interface TensorStats {
  readonly name: string;
  /** Finite elements counted. */
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

/** Shortest run of elements that is worth a call of the kernel. */
const LONG = 256;

/** Finite range of elements; min > max when there are none. */
function finiteRange(data: Float32Array, from: number, to: number): { min: number; max: number } {
  if (to - from >= LONG) {
    const r = minmax(data.subarray(from, to));
    // (0, 0) may also stand for nothing but NaN
    if (r.min > -Infinity && r.max < Infinity && (r.min !== 0 || r.max !== 0)) return r;
  }
  let min = Infinity, max = -Infinity;
  for (let i = from; i < to; i++) {
    const v = data[i]!;
    if (v < min && v > -Infinity) min = v;
    if (v > max && v < Infinity) max = v;
  }
  return { min, max };
}

/** Finite range of every channel of [outer][channels][...]; a channel without any has min > max. */
function channelRanges(
  data: Float32Array,
  outer: number,
  channels: number,
  min: Float32Array,
  max: Float32Array,
): void {
  const inner = data.length / (outer * channels);
  min.fill(Infinity);
  max.fill(-Infinity);
  let at = 0;
  for (let o = 0; o < outer; o++) {
    for (let c = 0; c < channels; c++, at += inner) {
      const r = finiteRange(data, at, at + inner);
      if (r.min < min[c]!) min[c] = r.min;
      if (r.max > max[c]!) max[c] = r.max;
    }
  }
}

/** Gathers {@linkcode TensorStats} tensor by tensor. */
export class Observer {
  readonly name: string;
  readonly #bins: number;
  readonly #quota: number;
  readonly #most: number;
  /** Both signs: first the bins of x > 0, then those of x < 0. Doubles when 32 bits no longer do. */
  #counts: Uint32Array | Float64Array;
  readonly #sum = new ExactSum();
  readonly #sumsq = new ExactSum();
  #exponent: number | undefined;
  #count = 0;
  #nonFinite = 0;
  #zeros = 0;
  #min = Infinity;
  #max = -Infinity;
  #channels: ChannelRange | undefined | null;

  constructor(name: string, options: ObserverOptions = {}) {
    const bins = options.bins ?? 8192;
    if (!Number.isInteger(Math.log2(bins)) || bins < 128 || bins > 2 ** 20) {
      throw new BpuError("internal", `a histogram of ${bins} bins`);
    }
    this.name = name;
    this.#bins = bins;
    this.#quota = options.quota ?? 65536;
    this.#most = options.wideFrom ?? 2 ** 32;
    this.#counts = new Uint32Array(2 * bins);
  }

  /** Adds one sample of the tensor. */
  add(t: Tensor): void {
    const data = floats(t);
    if (data.length === 0) return;
    const hasChannels = t.shape.length >= 2;
    const channels = hasChannels ? t.shape[1]! : 1;
    const min = new Float32Array(channels), max = new Float32Array(channels);
    channelRanges(data, hasChannels ? t.shape[0]! : 1, channels, min, max);
    this.#widenRange(min, max, hasChannels);
    this.#tally(data, strideFor(data.length, this.#quota));
  }

  #widenRange(min: Float32Array, max: Float32Array, hasChannels: boolean): void {
    const own = this.#channelsFor(hasChannels ? min.length : undefined);
    for (let c = 0; c < min.length; c++) {
      const lo = min[c]!, hi = max[c]!;
      // NaN fails both comparisons; an infinity would make every other value 0
      if (lo > -Infinity && lo < this.#min) this.#min = lo;
      if (hi < Infinity && hi > this.#max) this.#max = hi;
      if (own === undefined) continue;
      if (lo > -Infinity && lo < own.min[c]!) own.min[c] = lo;
      if (hi < Infinity && hi > own.max[c]!) own.max[c] = hi;
    }
    const absmax = Math.max(this.#max, -this.#min);
    if (absmax > 0) this.#widen(exponentFor(absmax, this.#bins));
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
    const factor = 2 ** (old - exponent), counts = this.#counts, bins = this.#bins;
    for (const from of [0, bins]) {
      for (let i = 1; i < bins; i++) {
        const n = counts[from + i]!;
        if (n === 0) continue;
        counts[from + i] = 0;
        counts[from + Math.floor(i * factor)]! += n;
      }
    }
  }

  /** Counts every `stride`-th element. */
  #tally(data: Float32Array, stride: number): void {
    if (this.#count + data.length >= this.#most) this.#counts = Float64Array.from(this.#counts);
    const bins = this.#bins, counts = this.#counts;
    const scale = this.#exponent === undefined ? 0 : 2 ** -this.#exponent;
    const bits = new Int32Array(data.buffer, data.byteOffset, data.length);
    // No branches: whether an activation is 0 is a coin toss behind a Relu. Zeros of either sign, NaN
    // and infinities end up in the first bin of their sign and are taken out afterwards.
    let sum = 0, sumsq = 0, others = 0, minusZeros = 0;
    for (let i = 0; i < data.length; i += stride) {
      const v = data[i]!, b = bits[i]!;
      const magnitude = b << 1, negative = b >>> 31;
      const other = (magnitude | -magnitude) >>> 31;
      others += other;
      minusZeros += negative & (other ^ 1);
      sum += v;
      sumsq += v * v;
      counts[negative * bins + ((Math.abs(v) * scale) | 0)]!++;
    }
    const total = Math.ceil(data.length / stride), zeros = total - others;
    counts[0]! -= zeros - minusZeros;
    counts[bins]! -= minusZeros;
    let nonFinite = 0;
    if (!(sumsq < Infinity)) {
      sum = sumsq = 0;
      for (let i = 0; i < data.length; i += stride) {
        const v = data[i]!;
        if (v - v === 0) {
          sum += v;
          sumsq += v * v;
        } else {
          nonFinite++;
          counts[(bits[i]! >>> 31) * bins]!--;
        }
      }
    }
    this.#sum.add(sum);
    this.#sumsq.add(sumsq);
    this.#zeros += zeros;
    this.#nonFinite += nonFinite;
    this.#count += total - nonFinite;
  }

  /** What has been gathered so far. The arrays are copies. */
  stats(): TensorStats {
    const seen = this.#min <= this.#max;
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
      positive: Float64Array.from(this.#counts.subarray(0, this.#bins)),
      negative: Float64Array.from(this.#counts.subarray(this.#bins)),
      ...(channels ? { channels: { min: channels.min.slice(), max: channels.max.slice() } } : {}),
    };
  }
}

/** Statistics of tensors that are at hand, all samples at once. */
export function statsOf(
  name: string,
  samples: Iterable<Tensor>,
  options: ObserverOptions = {},
): TensorStats {
  const o = new Observer(name, options);
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
