/**
 * How well a quantized model keeps the outputs of the float model: the criterion of all searches.
 *
 * A plain cosine picks wrong recipes: a large common offset hides errors, and large background areas
 * outweigh the few values that matter. Here every output is split into features (classes, box sides);
 * the mean of a feature is removed from the float values, and the error is set against what is left,
 * the variation that carries the information. Features that are probabilities are judged apart from
 * the others, and where they stand side by side (detectors), the others count by how much the
 * probabilities of their position stand out: the box of a background cell means nothing.
 *
 * @module
 */

import type { Tensor } from "../../ir/tensor.ts";
import { numbersOf } from "../../ir/tensor.ts";

/** Error and information of a kind of features of one output. */
export interface Fidelity {
  readonly output: string;
  /** `probabilities`: features within 0..1 of an output that has others too. */
  readonly kind: "all" | "probabilities" | "values";
  /** Error power over the power of the float values around the mean of their feature. */
  readonly noise: number;
}

/** What {@linkcode similarity} finds. */
export interface Similarity {
  /** Mean over outputs and kinds of sqrt(1 / (1 + noise)): 1 is perfect, 0 is nothing. */
  readonly score: number;
  /** The worst of them. Close to 1 it is what a correlation coefficient is. */
  readonly worst: number;
  /** Part of the samples with the same largest value (outputs that are one vector); else 1. */
  readonly agreement: number;
  /** Mean cosine of the outputs, as the tables print it. */
  readonly cosine: number;
  readonly parts: readonly Fidelity[];
}

/** 1 / (1 + noise) as a correlation. */
export const fidelityOf = (noise: number): number => Math.sqrt(1 / (1 + noise));

/** Axis of the features: channels of a picture, else the shorter axis; -1: every sample is one vector. */
function featureAxis(shape: readonly number[]): number {
  if (shape.length === 4) return 1;
  if (shape.length !== 3) return -1;
  return shape[1]! < shape[2]! ? 1 : 2;
}

/**
 * Compares outputs of samples.
 *
 * @param wanted outputs of the float model, one map a sample
 */
export function similarity(
  wanted: readonly ReadonlyMap<string, Tensor>[],
  found: readonly ReadonlyMap<string, Tensor>[],
): Similarity {
  const parts: Fidelity[] = [];
  let cosines = 0, vectors = 0, same = 0;
  const names = [...wanted[0]?.keys() ?? []];
  for (const name of names) {
    const want = wanted.map((m) => numbersOf(m.get(name)!));
    const got = found.map((m) => numbersOf(m.get(name)!));
    const shape = wanted[0]!.get(name)!.shape;
    for (const [i, w] of want.entries()) cosines += cosine(w, got[i]!);
    const axis = featureAxis(shape);
    if (axis < 0) {
      parts.push({ output: name, kind: "all", noise: vectorNoise(want, got) });
      if (want[0]!.length > 1) {
        vectors += want.length;
        for (const [i, w] of want.entries()) if (largest(w) === largest(got[i]!)) same++;
      }
    } else parts.push(...features(name, shape, axis, want, got));
  }
  const n = Math.max(1, parts.length);
  return {
    score: parts.reduce((s, p) => s + fidelityOf(p.noise), 0) / n,
    worst: parts.reduce((s, p) => Math.min(s, fidelityOf(p.noise)), 1),
    agreement: vectors === 0 ? 1 : same / vectors,
    cosine: cosines / Math.max(1, names.length * wanted.length),
    parts,
  };
}

function largest(v: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < v.length; i++) if (v[i]! > v[best]!) best = i;
  return best;
}

function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let ab = 0, aa = 0, bb = 0;
  for (let i = 0; i < a.length; i++) {
    ab += a[i]! * b[i]!;
    aa += a[i]! * a[i]!;
    bb += b[i]! * b[i]!;
  }
  return aa > 0 && bb > 0 ? ab / Math.sqrt(aa * bb) : aa === bb ? 1 : 0;
}

/** A ratio of powers; constant features are perfect when they are kept and lost when they are not. */
function ratio(noise: number, signal: number): number {
  if (!Number.isFinite(noise)) return Infinity;
  return signal > 0 ? noise / signal : noise > 0 ? Infinity : 0;
}

/** Every sample is one vector whose common offset means nothing (logits), or a single number. */
function vectorNoise(
  want: readonly ArrayLike<number>[],
  got: readonly ArrayLike<number>[],
): number {
  let noise = 0, signal = 0;
  if (want[0]!.length === 1) {
    const mean = want.reduce((s, w) => s + w[0]!, 0) / want.length;
    want.forEach((w, i) => {
      noise += (w[0]! - got[i]![0]!) ** 2;
      signal += want.length > 1 ? (w[0]! - mean) ** 2 : w[0]! ** 2;
    });
    return ratio(noise, signal);
  }
  for (const [k, w] of want.entries()) {
    const g = got[k]!, n = w.length;
    let mw = 0, mg = 0;
    for (let i = 0; i < n; i++) {
      mw += w[i]! / n;
      mg += g[i]! / n;
    }
    for (let i = 0; i < n; i++) {
      noise += (w[i]! - mw - g[i]! + mg) ** 2;
      signal += (w[i]! - mw) ** 2;
    }
  }
  return ratio(noise, signal);
}

function features(
  output: string,
  shape: readonly number[],
  axis: number,
  want: readonly ArrayLike<number>[],
  got: readonly ArrayLike<number>[],
): Fidelity[] {
  const count = shape[axis]!;
  const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const sum = new Float64Array(count), low = new Float64Array(count).fill(Infinity);
  const high = new Float64Array(count).fill(-Infinity);
  const signal = new Float64Array(count), noise = new Float64Array(count);
  let per = 0;
  for (const w of want) {
    per += w.length / count;
    for (let i = 0; i < w.length; i++) {
      const k = Math.floor(i / inner) % count, v = w[i]!;
      sum[k]! += v;
      if (v < low[k]!) low[k] = v;
      if (v > high[k]!) high[k] = v;
    }
  }
  const bounded = Array.from({ length: count }, (_, k) => low[k]! >= 0 && high[k]! <= 1);
  const mixed = bounded.some((b) => b !== bounded[0]);
  const positions = want[0]!.length / count;
  for (const [s, w] of want.entries()) {
    const g = got[s]!;
    const weight = mixed ? salience(w, inner, count, bounded, sum, per) : undefined;
    for (let i = 0; i < w.length; i++) {
      const k = Math.floor(i / inner) % count;
      const f = weight === undefined || bounded[k] ? 1 : weight[positionOf(i, inner, count)]!;
      signal[k]! += f * (w[i]! - sum[k]! / per) ** 2;
      noise[k]! += f * (w[i]! - g[i]!) ** 2;
    }
  }
  const pool = (kind: Fidelity["kind"], take: (k: number) => boolean): Fidelity[] => {
    let s = 0, n = 0;
    for (let k = 0; k < count; k++) {
      if (!take(k)) continue;
      s += signal[k]!;
      n += noise[k]!;
    }
    return [{ output, kind, noise: ratio(n, s) }];
  };
  if (!mixed || positions === 1) return pool("all", () => true);
  return [
    ...pool("probabilities", (k) => bounded[k]!),
    ...pool("values", (k) => !bounded[k]!),
  ];
}

function positionOf(i: number, inner: number, count: number): number {
  return Math.floor(i / (inner * count)) * inner + i % inner;
}

/** How far the probabilities of every position are from their means. */
function salience(
  w: ArrayLike<number>,
  inner: number,
  count: number,
  bounded: readonly boolean[],
  sum: Float64Array,
  per: number,
): Float64Array {
  const out = new Float64Array(w.length / count);
  for (let i = 0; i < w.length; i++) {
    const k = Math.floor(i / inner) % count;
    if (bounded[k]) out[positionOf(i, inner, count)]! += (w[i]! - sum[k]! / per) ** 2;
  }
  return out;
}
