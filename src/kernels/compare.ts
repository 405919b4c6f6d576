/**
 * Distances between two float tensors, in one pass.
 *
 * @module
 */

import { BpuError } from "../errors.ts";
import { scratch } from "./scratch.ts";

/** Distances of `b` from the reference `a`, d = b - a, N elements. */
export interface Distances {
  /** a.b / (|a| |b|); 1 when both are all zero, 0 when one is. */
  readonly cosine: number;
  /** Mean of d^2. */
  readonly mse: number;
  /** Mean of |d| / |a|; where a is 0 the relative error is 0 (d = 0) or 1. */
  readonly mre: number;
  /** 10 log10(sum a^2 / sum d^2) in dB; Infinity for equal tensors. */
  readonly sqnr: number;
  /** Largest |d|. */
  readonly chebyshev: number;
  /** Mean of |d|. */
  readonly l1: number;
  /** sqrt(sum d^2) / N. */
  readonly l2: number;
}

/** Compares two tensors of the same length. NaN anywhere makes the figures NaN. */
export function compare(a: Float32Array, b: Float32Array): Distances {
  if (a.length !== b.length) {
    throw new BpuError(
      "shape",
      `tensors of ${a.length} and ${b.length} elements cannot be compared`,
    );
  }
  const n = a.length, s = n < 4096 ? exact(a, b) : fast(a, b);
  // The fast sums are float32 inside blocks: their squares must neither overflow nor vanish.
  const small = n * 1e-26;
  const safe = Number.isFinite(s.aa + s.bb + s.ab + s.rel) && s.aa >= small && s.bb >= small &&
    (s.top === 0 || s.dd >= small);
  return distances(n, safe ? s : exact(a, b));
}

function fast(a: Float32Array, b: Float32Array): Sums {
  const { arena, block, at, out } = scratch();
  arena.f64(out, 7).fill(0);
  for (let i = 0; i < a.length; i += block) {
    const n = Math.min(block, a.length - i), second = at + block * 4;
    arena.f32(at, n).set(a.subarray(i, i + n));
    arena.f32(second, n).set(b.subarray(i, i + n));
    arena.core.compareF32(at, second, n, out);
  }
  const v = arena.f64(out, 7);
  // deno-fmt-ignore
  return { aa: v[0]!, bb: v[1]!, ab: v[2]!, dd: v[3]!, d1: v[4]!, rel: v[5]!, top: v[6]! };
}

function exact(a: Float32Array, b: Float32Array): Sums {
  let aa = 0, bb = 0, ab = 0, dd = 0, d1 = 0, rel = 0, top = 0;
  for (let i = 0; i < a.length; i++) {
    const x = a[i]!, y = b[i]!, d = Math.abs(y - x);
    aa += x * x;
    bb += y * y;
    ab += x * y;
    dd += d * d;
    d1 += d;
    rel += d === 0 ? 0 : x === 0 ? 1 : d / Math.abs(x);
    if (!(d <= top)) top = d;
  }
  return { aa, bb, ab, dd, d1, rel, top };
}

/** Sums of one pass. */
export interface Sums {
  readonly aa: number;
  readonly bb: number;
  readonly ab: number;
  readonly dd: number;
  readonly d1: number;
  readonly rel: number;
  readonly top: number;
}

/** The figures from the sums. */
export function distances(n: number, s: Sums): Distances {
  if (n === 0) {
    return { cosine: 1, mse: 0, mre: 0, sqnr: Infinity, chebyshev: 0, l1: 0, l2: 0 };
  }
  const norm = Math.sqrt(s.aa) * Math.sqrt(s.bb);
  // Near 1, a.b from |a - b| is far more precise than the sum of products.
  const dot = s.dd < 0.1 * s.aa ? (s.aa + s.bb - s.dd) / 2 : s.ab;
  const cosine = norm > 0 || Number.isNaN(norm)
    ? Math.max(-1, Math.min(1, dot / norm))
    : s.aa === s.bb
    ? 1
    : 0;
  return {
    cosine,
    mse: s.dd / n,
    mre: s.rel / n,
    sqnr: s.dd === 0 ? Infinity : 10 * Math.log10(s.aa / s.dd),
    chebyshev: s.top,
    l1: s.d1 / n,
    l2: Math.sqrt(s.dd) / n,
  };
}
