/**
 * How well a quantized model keeps the outputs of the float model: the criterion of all searches.
 *
 * A plain cosine picks wrong recipes: a large common offset hides errors, and large background areas
 * outweigh the few values that matter. An error power picks wrong ones too: a model that finds nothing
 * has less of it than one that finds half of the objects and some that are not there. Here every output
 * is split into features (classes, box sides), and the figure is Lin's concordance coefficient of the
 * features, 2 cov / (var + var + offset^2): a correlation that also sees shifts and shrinking, and that
 * is 0 for a constant. Features that are probabilities are judged apart from
 * the others, and where they stand side by side (detectors), the others count by how much the
 * probabilities of their position stand out: the box of a background cell means nothing.
 *
 * @module
 */

import type { Tensor } from "../ir/tensor.ts";
import { numbersOf } from "../ir/tensor.ts";
import { sameLength } from "../calibrate/metrics.ts";

/** Concordance of a kind of features of one output. */
export interface Fidelity {
  readonly output: string;
  /** `probabilities`: features within 0..1 of an output that has others too. */
  readonly kind: "all" | "probabilities" | "values";
  /** 1 is perfect, 0 is nothing; never below 0. */
  readonly fidelity: number;
}

/** What {@linkcode similarity} finds. */
export interface Similarity {
  /** Mean over outputs and kinds. */
  readonly score: number;
  /** The worst of them. */
  readonly worst: number;
  /** Part of the samples with the same largest value (outputs that are one vector); else 1. */
  readonly agreement: number;
  /** Mean cosine of the outputs, as the tables print it. */
  readonly cosine: number;
  readonly parts: readonly Fidelity[];
}

/** Error power over signal power that a (small) loss of fidelity stands for; adds up over tensors. */
export const noiseOf = (fidelity: number): number =>
  fidelity > 0 ? 2 * (1 / fidelity - 1) : Infinity;

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
    const raw = [...wanted, ...found].map((m) => numbersOf(m.get(name)!));
    const even = raw.every((v) => v.length === raw[0]!.length);
    const all = even ? raw : sameLength(raw.map((v) => Float32Array.from(v)));
    const want = all.slice(0, wanted.length), got = all.slice(wanted.length);
    // Of an output whose size the values decide, each sample is one vector.
    const shape = even ? wanted[0]!.get(name)!.shape : [];
    for (const [i, w] of want.entries()) cosines += cosine(w, got[i]!);
    const axis = featureAxis(shape);
    if (axis < 0) {
      parts.push({ output: name, kind: "all", fidelity: vectorFidelity(want, got) });
      if (want[0]!.length > 1) {
        vectors += want.length;
        for (const [i, w] of want.entries()) if (largest(w) === largest(got[i]!)) same++;
      }
    } else parts.push(...features(name, shape, axis, want, got));
  }
  const n = Math.max(1, parts.length);
  return {
    score: parts.reduce((s, p) => s + p.fidelity, 0) / n,
    worst: parts.reduce((s, p) => Math.min(s, p.fidelity), 1),
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

/** Weighted moments of pairs. */
class Moments {
  #n = 0;
  #a = 0;
  #b = 0;
  #aa = 0;
  #bb = 0;
  #ab = 0;

  add(a: number, b: number, weight = 1): void {
    this.#n += weight;
    this.#a += weight * a;
    this.#b += weight * b;
    this.#aa += weight * a * a;
    this.#bb += weight * b * b;
    this.#ab += weight * a * b;
  }

  /** Covariance, and the sum of the variances and of the squared offset; not divided by n. */
  sums(offset: boolean): { agree: number; all: number } {
    const n = this.#n || 1;
    const aa = this.#aa - this.#a * this.#a / n, bb = this.#bb - this.#b * this.#b / n;
    const shift = offset ? (this.#a - this.#b) ** 2 / n : 0;
    return { agree: 2 * (this.#ab - this.#a * this.#b / n), all: aa + bb + shift };
  }
}

function concordance(all: readonly Moments[], offset: boolean): number {
  let agree = 0, total = 0;
  for (const m of all) {
    const s = m.sums(offset);
    agree += s.agree;
    total += s.all;
  }
  if (!Number.isFinite(total) || !Number.isFinite(agree)) return 0;
  // Constant features that are kept are perfect.
  return total <= 0 ? 1 : Math.min(1, Math.max(0, agree / total));
}

/** Every sample is one vector whose common offset means nothing (logits), or a single number. */
function vectorFidelity(
  want: readonly ArrayLike<number>[],
  got: readonly ArrayLike<number>[],
): number {
  const single = want[0]!.length === 1;
  const one = new Moments();
  const all = want.map((w, k) => {
    const m = single ? one : new Moments();
    for (let i = 0; i < w.length; i++) m.add(w[i]!, got[k]![i]!);
    return m;
  });
  return concordance(single ? [one] : all, single);
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
  const moments = Array.from({ length: count }, () => new Moments());
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
      moments[k]!.add(w[i]!, g[i]!, f);
    }
  }
  const pool = (kind: Fidelity["kind"], take: (k: number) => boolean): Fidelity[] => [
    { output, kind, fidelity: concordance(moments.filter((_, k) => take(k)), true) },
  ];
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
