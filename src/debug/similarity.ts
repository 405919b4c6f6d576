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

/** Outputs of the float model that recipes are compared with: what depends on them alone is known. */
export interface Reference {
  /** @param found outputs of the same samples, in their order */
  compare(found: readonly ReadonlyMap<string, Tensor>[]): Similarity;
}

type Values = readonly ArrayLike<number>[];

/** One output of a reference. */
interface Wanted {
  readonly name: string;
  readonly values: Values;
  /** Absent where every sample is one vector. */
  readonly features?: (got: Values) => Fidelity[];
}

/** Outputs whose size the values decide (NonMaxSuppression) are compared as vectors of one length. */
function aligned(want: Values, got: Values): readonly [Values, Values] | undefined {
  const all = [...want, ...got];
  if (all.every((v) => v.length === all[0]!.length)) return undefined;
  const padded = sameLength(all.map((v) => Float32Array.from(v)));
  return [padded.slice(0, want.length), padded.slice(want.length)];
}

/**
 * Prepares a comparison.
 *
 * @param wanted outputs of the float model, one map a sample
 */
export function reference(wanted: readonly ReadonlyMap<string, Tensor>[]): Reference {
  const outputs = [...wanted[0]?.keys() ?? []].map((name): Wanted => {
    const values = wanted.map((m) => numbersOf(m.get(name)!));
    const { shape } = wanted[0]!.get(name)!;
    const axis = aligned(values, []) === undefined ? featureAxis(shape) : -1;
    return axis < 0
      ? { name, values }
      : { name, values, features: features(name, shape, axis, values) };
  });
  return {
    compare(found) {
      const parts: Fidelity[] = [];
      let cosines = 0, vectors = 0, same = 0;
      for (const { name, values, features } of outputs) {
        const raw = found.map((m) => numbersOf(m.get(name)!));
        const padded = aligned(values, raw), [want, got] = padded ?? [values, raw];
        for (const [i, w] of want.entries()) cosines += cosine(w, got[i]!);
        if (features !== undefined && padded === undefined) {
          parts.push(...features(got));
          continue;
        }
        parts.push({ output: name, kind: "all", fidelity: vectorFidelity(want, got) });
        if (want[0]!.length < 2) continue;
        vectors += want.length;
        for (const [i, w] of want.entries()) if (largest(w) === largest(got[i]!)) same++;
      }
      const n = Math.max(1, parts.length);
      return {
        score: parts.reduce((s, p) => s + p.fidelity, 0) / n,
        worst: parts.reduce((s, p) => Math.min(s, p.fidelity), 1),
        agreement: vectors === 0 ? 1 : same / vectors,
        cosine: cosines / Math.max(1, outputs.length * wanted.length),
        parts,
      };
    },
  };
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
  return reference(wanted).compare(found);
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

  /** Adds the pairs of a run; without weights each counts once. */
  addRun(
    first: ArrayLike<number>,
    second: ArrayLike<number>,
    { at, step, n: count, from }: Omit<Run, "k">,
    weights?: Float64Array,
  ): void {
    let n = 0, a = 0, b = 0, aa = 0, bb = 0, ab = 0;
    for (let i = 0, j = at; i < count; i++, j += step) {
      const u = first[j]!, v = second[j]!;
      const w = weights === undefined ? 1 : weights[from + i]!;
      n += w;
      a += w * u;
      b += w * v;
      aa += w * u * u;
      bb += w * v * v;
      ab += w * u * v;
    }
    this.#n += n;
    this.#a += a;
    this.#b += b;
    this.#aa += aa;
    this.#bb += bb;
    this.#ab += ab;
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
    m.addRun(w, got[k]!, { at: 0, step: 1, n: w.length, from: 0 });
    return m;
  });
  return concordance(single ? [one] : all, single);
}

/** A tensor as [outer][features][inner]. */
interface Blocks {
  readonly outer: number;
  readonly count: number;
  readonly inner: number;
}

/** Values of one feature: `n` of them from index `at` on, at the positions from `from` on. */
interface Run {
  readonly k: number;
  readonly at: number;
  readonly step: number;
  readonly n: number;
  readonly from: number;
}

/** Long runs that hold every element once. */
function runsOf({ outer, count, inner }: Blocks): Run[] {
  const all: Run[] = [];
  for (let k = 0; k < count; k++) {
    if (inner === 1) all.push({ k, at: k, step: count, n: outer, from: 0 });
    else {
      for (let o = 0; o < outer; o++) {
        all.push({ k, at: (o * count + k) * inner, step: 1, n: inner, from: o * inner });
      }
    }
  }
  return all;
}

function features(
  output: string,
  shape: readonly number[],
  axis: number,
  want: Values,
): (got: Values) => Fidelity[] {
  const count = shape[axis]!;
  const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const blocks: Blocks = { outer: want[0]!.length / (count * inner), count, inner };
  const mean = new Float64Array(count), low = new Float64Array(count).fill(Infinity);
  const high = new Float64Array(count).fill(-Infinity);
  const runs = runsOf(blocks);
  for (const w of want) {
    for (const { k, at, step, n } of runs) {
      let sum = 0, least = low[k]!, most = high[k]!;
      for (let i = 0, j = at; i < n; i++, j += step) {
        const v = w[j]!;
        sum += v;
        if (v < least) least = v;
        if (v > most) most = v;
      }
      mean[k]! += sum;
      low[k] = least;
      high[k] = most;
    }
  }
  const positions = blocks.outer * inner;
  for (let k = 0; k < count; k++) mean[k]! /= positions * want.length;
  const bounded = Array.from({ length: count }, (_, k) => low[k]! >= 0 && high[k]! <= 1);
  const mixed = bounded.some((b) => b !== bounded[0]);
  const weights = mixed
    ? want.map((w) => salience(w, runs.filter((r) => bounded[r.k]), mean, positions))
    : undefined;
  const kinds: readonly (readonly [Fidelity["kind"], (k: number) => boolean])[] =
    !mixed || positions === 1 ? [["all", () => true]] : [
      ["probabilities", (k) => bounded[k]!],
      ["values", (k) => !bounded[k]!],
    ];
  return (got) => {
    const moments = Array.from({ length: count }, () => new Moments());
    for (const [s, w] of want.entries()) {
      const g = got[s]!, weight = weights?.[s];
      for (const r of runs) moments[r.k]!.addRun(w, g, r, bounded[r.k] ? undefined : weight);
    }
    return kinds.map(([kind, take]): Fidelity => ({
      output,
      kind,
      fidelity: concordance(moments.filter((_, k) => take(k)), true),
    }));
  };
}

/** How far the probabilities of every position are from their means. */
function salience(
  w: ArrayLike<number>,
  probabilities: readonly Run[],
  mean: Float64Array,
  positions: number,
): Float64Array {
  const out = new Float64Array(positions);
  for (const { k, at, step, n, from } of probabilities) {
    const m = mean[k]!;
    for (let i = 0, j = at; i < n; i++, j += step) out[from + i]! += (w[j]! - m) ** 2;
  }
  return out;
}
