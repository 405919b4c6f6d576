/**
 * Ranges of float tensors. NaN is ignored everywhere.
 *
 * @module
 */

import { partRangesRef } from "./histogram_ref.ts";
import { type Scratch, scratch } from "./scratch.ts";

/** Smallest and largest value; 0 and 0 when there is none. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** Largest magnitude, 0 for no values. */
export function absmax(data: Float32Array): number {
  const { arena, block, at } = scratch();
  let top = 0;
  for (let i = 0; i < data.length; i += block) {
    const n = Math.min(block, data.length - i);
    arena.f32(at, n).set(data.subarray(i, i + n));
    top = Math.max(top, arena.core.absmaxF32(at, n));
  }
  return top;
}

/** Smallest and largest value. */
export function minmax(data: Float32Array): Range {
  const { arena, block, at, out } = scratch();
  let min = Infinity, max = -Infinity;
  for (let i = 0; i < data.length; i += block) {
    const n = Math.min(block, data.length - i);
    arena.f32(at, n).set(data.subarray(i, i + n));
    arena.core.minmaxF32(at, n, out);
    const r = arena.f32(out, 2);
    min = Math.min(min, r[0]!);
    max = Math.max(max, r[1]!);
  }
  return min > max ? { min: 0, max: 0 } : { min: min + 0, max: max + 0 };
}

/** How values lie in memory: runs of `inner` values of a row, or pixels of `channels` values. */
export type Order =
  | { readonly inner: number; readonly channels?: undefined }
  | { readonly channels: number };

/**
 * Widens [min, max] per row (or channel), of finite values, by the values of `part`, which also lie at
 * `s.at`: whole rows of one length, or whole pixels; `s.rows` rows or channels at most. Returns the
 * range of them all, min > max where there is none.
 */
export function partRanges(
  s: Scratch,
  part: Float32Array,
  order: Order,
  ranges: Float32Array,
): Range & { readonly nonFinite: number } {
  const at = s.at + 4 * s.block, { core } = s.arena, n = part.length;
  const bad = order.channels === undefined
    ? core.rowRangesF32(s.at, n / order.inner, order.inner, at)
    : core.channelRangesF32(s.at, n / order.channels, order.channels, at);
  let nonFinite = 0;
  if (bad !== 0) nonFinite = partRangesRef(part, order, ranges);
  else {
    const found = s.arena.f32(at, ranges.length);
    for (let k = 0; k < found.length; k += 2) {
      if (found[k]! < ranges[k]!) ranges[k] = found[k]!;
      if (found[k + 1]! > ranges[k + 1]!) ranges[k + 1] = found[k + 1]!;
    }
  }
  let min = Infinity, max = -Infinity;
  for (let k = 0; k < ranges.length; k += 2) {
    if (ranges[k]! < min) min = ranges[k]!;
    if (ranges[k + 1]! > max) max = ranges[k + 1]!;
  }
  return { min, max, nonFinite };
}

/** Largest magnitude per channel of [outer][channels][inner]. */
export function absmaxPerChannel(
  data: Float32Array,
  outer: number,
  channels: number,
  inner: number,
): Float32Array {
  const top = new Float32Array(channels);
  let i = 0;
  for (let o = 0; o < outer; o++) {
    for (let c = 0; c < channels; c++) {
      let t = top[c]!;
      for (let k = 0; k < inner; k++) {
        const v = Math.abs(data[i++]!);
        if (v > t) t = v;
      }
      top[c] = t;
    }
  }
  return top;
}

/** What a box plot of one channel shows. Quartiles interpolate linearly between samples. */
export interface ChannelStatistics {
  readonly min: number;
  readonly q1: number;
  readonly median: number;
  readonly q3: number;
  readonly max: number;
  readonly mean: number;
  readonly std: number;
}

/** Statistics per channel of [outer][channels][inner]; a channel without values is all zero. */
export function channelStatistics(
  data: Float32Array,
  outer: number,
  channels: number,
  inner: number,
): ChannelStatistics[] {
  const out: ChannelStatistics[] = [];
  const line = new Float32Array(outer * inner);
  for (let c = 0; c < channels; c++) {
    let n = 0, sum = 0;
    for (let o = 0; o < outer; o++) {
      const at = (o * channels + c) * inner;
      for (let k = 0; k < inner; k++) {
        const v = data[at + k]!;
        if (Number.isNaN(v)) continue;
        line[n++] = v;
        sum += v;
      }
    }
    if (n === 0) {
      out.push({ min: 0, q1: 0, median: 0, q3: 0, max: 0, mean: 0, std: 0 });
      continue;
    }
    const sorted = line.subarray(0, n).sort();
    const mean = sum / n;
    let square = 0;
    for (let i = 0; i < n; i++) square += (sorted[i]! - mean) ** 2;
    const at = (p: number) => {
      const x = p * (n - 1), i = Math.floor(x), f = x - i;
      return f === 0 ? sorted[i]! : sorted[i]! * (1 - f) + sorted[i + 1]! * f;
    };
    out.push({
      min: sorted[0]!,
      q1: at(0.25),
      median: at(0.5),
      q3: at(0.75),
      max: sorted[n - 1]!,
      mean,
      std: Math.sqrt(square / n),
    });
  }
  return out;
}
