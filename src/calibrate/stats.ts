/**
 * What one pass over the data remembers of a tensor: exact ranges and a histogram. The memory is fixed
 * and the result depends on the multiset of samples only, not on their order.
 *
 * @module
 */

import { BpuError } from "../errors.ts";
import { numbersOf, shapeText, type Tensor } from "../ir/tensor.ts";
import { Histogram } from "../kernels/histogram.ts";

/** Options of {@linkcode Observer}. */
export interface ObserverOptions {
  /**
   * Bins per sign, a power of two; default 8192. Between half of them and all are in use. 0: ranges
   * only, for methods that need no histogram.
   */
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
 * Statistics of a tensor over all samples. Ranges are exact. All counts, the histogram's too, are
 * those of the elements that were counted (every element, or a regular sample of a large tensor).
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
  /** Width of a bin, a power of two; 0 when no element differs from 0, or without a histogram. */
  readonly width: number;
  /** `positive[i]`: elements with width * i <= x < width * (i + 1), exact zeros left out. */
  readonly positive: Float64Array;
  /** The same of -x. */
  readonly negative: Float64Array;
  /** Absent for tensors without a channel axis, or whose number of channels changes. */
  readonly channels?: ChannelRange;
}

/** Float64 values to float32 keep their order, so they may be counted as float32. */
function floats(t: Tensor): Float32Array {
  if (t.data instanceof Float32Array) return t.data;
  return Float32Array.from(numbersOf(t));
}

/** Channels that lie last and of which the ranges are kept. */
const MOST_CHANNELS = 8192;

/** Order of the elements in memory. */
export type Layout = "nchw" | "nhwc";

/** Gathers {@linkcode TensorStats} tensor by tensor. */
export class Observer {
  readonly name: string;
  readonly #quota: number;
  readonly #histogram: Histogram;
  #channels: ChannelRange | undefined | null;

  constructor(name: string, options: ObserverOptions = {}) {
    this.name = name;
    this.#quota = options.quota ?? 65536;
    this.#histogram = new Histogram(options.bins, options.wideFrom);
  }

  /** Adds one sample of the tensor. Its data is not kept. */
  add(t: Tensor): void {
    this.addValues(floats(t), t.shape);
  }

  /**
   * The same for values that lie anywhere. `layout` says in which order; the shape is that of the
   * tensor (channels on axis 1) in either case.
   */
  addValues(data: Float32Array, shape: readonly number[], layout: Layout = "nchw"): void {
    if (data.length === 0) return;
    const channels = shape.length >= 2 ? shape[1]! : undefined;
    const stride = strideFor(data.length, this.#quota);
    const rows = channels === undefined ? 1 : shape[0]! * channels;
    const last = layout === "nhwc" && channels !== undefined && channels <= MOST_CHANNELS;
    const [order, groups] = last ? [{ channels }, channels] : [{ inner: data.length / rows }, rows];
    const ranges = new Float32Array(2 * groups);
    this.#histogram.add(data, stride, order, ranges);
    const own = this.#channelsFor(layout === "nchw" || last ? channels : undefined);
    if (own === undefined) return;
    for (let r = 0; r < groups; r++) {
      const c = r % own.min.length, lo = ranges[2 * r]! + 0, hi = ranges[2 * r + 1]! + 0;
      if (lo < own.min[c]!) own.min[c] = lo;
      if (hi > own.max[c]!) own.max[c] = hi;
    }
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

  /** What has been gathered so far. The arrays are copies. */
  stats(): TensorStats {
    const h = this.#histogram, seen = h.min <= h.max;
    const min = seen ? h.min : 0, max = seen ? h.max : 0;
    const channels = this.#channels;
    return {
      name: this.name,
      count: h.count,
      nonFinite: h.nonFinite,
      zeros: h.zeros,
      min,
      max,
      absmax: Math.max(max, -min),
      width: h.width,
      positive: h.side("positive"),
      negative: h.side("negative"),
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
