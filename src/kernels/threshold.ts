/**
 * Thresholds from a histogram of magnitudes: percentile, KL divergence, mean squared error, OCTAV.
 *
 * @module
 */

import { BpuError } from "../errors.ts";
import type { Histogram } from "./histogram.ts";

/** Magnitude below which the fraction `p` (0..1) of the samples lies, linear inside a bin. */
export function percentile(h: Histogram, p: number): number {
  if (!(p >= 0 && p <= 1)) throw new BpuError("config", `a percentile of ${p} is not in 0..1`);
  if (p === 1) return h.absmax;
  const want = p * h.total;
  let below = 0;
  for (let i = 0; i < h.used; i++) {
    const n = h.counts[i]!;
    if (n > 0 && below + n >= want) {
      return Math.min(h.absmax, (i + (want - below) / n) * h.width);
    }
    below += n;
  }
  return h.absmax;
}

/** Result of {@linkcode klThreshold}. */
export interface KlResult {
  readonly threshold: number;
  /** Number of bins kept; 0 for an empty or all-zero histogram. */
  readonly bins: number;
  readonly divergence: number;
  /** Divergence per candidate; index 0 is `levels` bins. Infinity where it is not defined. */
  readonly curve: Float64Array;
}

/**
 * Threshold (bins + 1/2) * width of the smallest KL divergence between the clipped distribution and its
 * `levels`-level quantization, over every number of bins from `levels` up. Exact by prefix sums: O(bins *
 * levels). Ties go to the larger threshold. The threshold never exceeds the largest magnitude.
 */
export function klThreshold(h: Histogram, levels = 128): KlResult {
  const N = h.used, count = h.counts;
  if (N <= levels) {
    return { threshold: h.absmax, bins: N, divergence: 0, curve: new Float64Array(0) };
  }
  const S = new Float64Array(N + 1), C = new Float64Array(N + 1), E = new Float64Array(N + 1);
  for (let i = 0; i < N; i++) {
    const n = count[i]!;
    S[i + 1] = S[i]! + n;
    C[i + 1] = C[i]! + (n > 0 ? 1 : 0);
    E[i + 1] = E[i]! + (n > 0 ? n * Math.log(n) : 0);
  }
  const total = S[N]!, curve = new Float64Array(N - levels + 1);
  let best = Infinity, bins = N;
  for (let i = levels; i <= N; i++) {
    const out = total - S[i]!;
    let kl = Infinity;
    if (count[i - 1]! > 0 || out === 0) {
      const last = count[i - 1]! + out;
      let cross = 0, from = 0;
      for (let g = 1; g <= levels; g++) {
        const to = Math.floor(g * i / levels);
        const s = S[to]! - S[from]!;
        if (s > 0) {
          const p = g === levels ? s + out : s;
          cross += p * Math.log(s / (C[to]! - C[from]!));
        }
        from = to;
      }
      kl = (E[i - 1]! + (last > 0 ? last * Math.log(last) : 0) - cross) / total -
        Math.log(total) + Math.log(S[i]!);
    }
    curve[i - levels] = kl;
    if (kl <= best) {
      best = kl;
      bins = i;
    }
  }
  const threshold = Math.min(h.absmax, (bins + 0.5) * h.width);
  return { threshold, bins, divergence: best, curve };
}

/** Mean squared error of quantizing the histogram with threshold T and `levels` positive levels. */
export function quantizationError(h: Histogram, T: number, levels: number): number {
  const step = T / levels, w = h.width;
  let sum = 0;
  for (let i = 0; i < h.used; i++) {
    const n = h.counts[i]!;
    if (n === 0) continue;
    const c = (i + 0.5) * w;
    const d = c - Math.min(Math.floor(c / step + 0.5), levels) * step;
    sum += n * d * d;
  }
  return h.total === 0 ? 0 : sum / h.total;
}

/** Threshold of the smallest mean squared error: 100 logarithmic steps, then a golden section. */
export function mseThreshold(h: Histogram, levels = 127): number {
  const top = h.absmax;
  if (top === 0) return 0;
  const at = (k: number) => top * 10 ** (-2 + 2 * k / 99);
  let best = 99, least = Infinity;
  for (let k = 99; k >= 0; k--) {
    const e = quantizationError(h, at(k), levels);
    if (e < least) {
      least = e;
      best = k;
    }
  }
  const g = (Math.sqrt(5) - 1) / 2;
  let a = at(Math.max(best - 1, 0)), b = at(Math.min(best + 1, 99));
  let c = b - g * (b - a), d = a + g * (b - a);
  let fc = quantizationError(h, c, levels), fd = quantizationError(h, d, levels);
  for (let i = 0; i < 24; i++) {
    if (fc < fd) {
      b = d;
      d = c;
      fd = fc;
      c = b - g * (b - a);
      fc = quantizationError(h, c, levels);
    } else {
      a = c;
      c = d;
      fc = fd;
      d = a + g * (b - a);
      fd = quantizationError(h, d, levels);
    }
  }
  const [t, e] = fc < fd ? [c, fc] : [d, fd];
  return e < least ? t : at(best);
}

/**
 * OCTAV (Sakr et al., 2022): the fixed point of
 * s = sum(|x| > s) |x| / (4^-bits / (3 u) * #(0 < |x| <= s) + #(|x| > s)), u = 1 for signed tensors, 4 for
 * unsigned ones, from the histogram's tails.
 */
export function octavThreshold(h: Histogram, bits = 8, signed = h.min < 0): number {
  const N = h.used, w = h.width, top = h.absmax;
  if (top === 0) return 0;
  const above = new Float64Array(N + 1), mass = new Float64Array(N + 1);
  for (let i = N - 1; i >= 0; i--) {
    above[i] = above[i + 1]! + h.counts[i]!;
    mass[i] = mass[i + 1]! + h.counts[i]! * (i + 0.5) * w;
  }
  const u = 4 ** -bits / (3 * (signed ? 1 : 4));
  let s = mass[0]! / h.total;
  for (let k = 0; k < 100; k++) {
    const x = Math.min(s / w, N), i = Math.min(Math.floor(x), N - 1), rest = i + 1 - x;
    const n = above[i + 1]! + h.counts[i]! * rest;
    const m = mass[i + 1]! + h.counts[i]! * rest * (x + rest / 2) * w;
    const next = Math.min(m / (u * Math.max(h.total - h.zeros - n, 0) + n), top);
    const done = Math.abs(next - s) <= 1e-6 * s;
    s = next;
    if (done || !(s > 0)) break;
  }
  return s > 0 ? s : top;
}
