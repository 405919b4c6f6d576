/**
 * `mix`: threshold methods for the tensors that matter most.
 *
 * @module
 */

import { shareOfMax, throughFunction } from "../calibrator.ts";
import { MARGIN, measure } from "./default_search.ts";
import type { Measured, SearchTools } from "./default_search.ts";
import { better } from "./judge.ts";
import { MOST_SAMPLES, SAMPLES } from "./sensitive.ts";
import type { Sensitivity } from "./sensitive.ts";

/** Part of the error of all tensors below which no other threshold is looked for. */
const NEGLIGIBLE = 1 / 500;
/** Tensors for which all methods are tried. */
const MIXED = 32;
/**
 * Tensors that make more than this part of all error are dominant: a threshold that fits two pictures
 * is not good enough, and what is best alone need not be best among the errors of the others.
 */
const DOMINANT = 0.05;
/** Parts of the largest magnitude that are tried for them beside the methods. */
const SHARES = [0.9, 0.8, 0.7, 0.6, 0.5, 0.42, 0.35, 0.3, 0.25, 0.2];
/** Methods of a dominant tensor that are measured on more samples, and tried in the whole model. */
const SETTLED = 8, TRIED = 3;
/** A method has to make less than this part of the error to be of interest. */
const GAIN = 0.95;

/** A tensor with another method. */
export interface Pick {
  readonly tensor: string;
  readonly method: string;
  /** Error that the tensor alone makes at the outputs, with the method before and with this one. */
  readonly before: number;
  readonly after: number;
}

/** Tensors whose thresholds `mix` chose. */
export interface Mixed extends Measured {
  readonly picked: readonly Pick[];
}

/** Methods that are better for one tensor alone, the best first. */
interface Choices {
  readonly dominant: boolean;
  readonly picks: readonly Pick[];
}

async function choices(
  t: SearchTools,
  sensitivity: Sensitivity,
  start: Measured,
): Promise<Choices[]> {
  const { calibrator } = t.workshop.formOf(start.recipe);
  const functions = calibrator.functionInputs?.() ?? new Set<string>();
  const all = await sensitivity.all(start.recipe);
  const total = all.reduce((sum, s) => sum + s.noise, 0);
  const worst = all.slice(0, MIXED).filter((s) => s.noise > NEGLIGIBLE * total);
  const found: Choices[] = [];
  for (const [i, { tensor, noise }] of worst.entries()) {
    t.progress?.(i + 1, worst.length);
    const dominant = noise > DOMINANT * total;
    const names = [
      ...new Set([
        start.recipe.methods?.get(tensor) ?? start.recipe.method,
        ...calibrator.candidates,
        ...(functions.has(tensor) ? [throughFunction] : []),
        ...(dominant ? SHARES.map(shareOfMax) : []),
      ]),
    ];
    const ranked = async (names: readonly string[], samples: number): Promise<Pick[]> => {
      const errors = await sensitivity.noise(start.recipe, tensor, names, samples);
      const before = errors[0]!;
      return names.map((method, i): Pick => ({ tensor, method, before, after: errors[i]! }))
        .sort((a, b) => a.after - b.after);
    };
    let picks = await ranked(names, SAMPLES);
    if (dominant) {
      const few = picks.slice(0, SETTLED).map((p) => p.method);
      picks = await ranked([...new Set([names[0]!, ...few])], MOST_SAMPLES);
    }
    picks = picks.filter((p) => p.after < p.before * GAIN);
    if (picks.length > 0) found.push({ dominant, picks });
  }
  return found;
}

/**
 * Chooses the threshold method of the most sensitive tensors by the error that each makes at the
 * outputs: of the dominant ones the best few are tried in the whole model, one tensor after the other,
 * the rest is taken together or by halves. `start` is kept where the result is not better on the
 * held-back samples.
 */
export async function searchMix(
  t: SearchTools,
  sensitivity: Sensitivity,
  start: Measured,
): Promise<Mixed> {
  const w = t.workshop;
  const found = await choices(t, sensitivity, start);
  if (found.length === 0) return { ...start, picked: [] };
  const trial = await t.trial();
  let methods: ReadonlyMap<string, string> = start.recipe.methods ?? new Map();
  let picked: readonly Pick[] = [];
  const score = async (methods: ReadonlyMap<string, string>): Promise<number> => {
    const judged = await trial.measure(w.program(w.build({ ...start.recipe, methods })));
    return judged.similarity.score;
  };
  let best = await score(methods);
  const attempt = async (picks: readonly Pick[]): Promise<boolean> => {
    const own = new Set(picks.map((p) => p.tensor));
    const next = new Map([...methods, ...picks.map((p): [string, string] => [p.tensor, p.method])]);
    const s = await score(next);
    if (!(s > best)) return false;
    best = s;
    methods = next;
    picked = [...picked.filter((p) => !own.has(p.tensor)), ...picks];
    return true;
  };
  for (const c of found.filter((c) => c.dominant)) {
    for (const pick of c.picks.slice(0, TRIED)) await attempt([pick]);
  }
  const rest = found.filter((c) => !c.dominant).map((c) => c.picks[0]!);
  if (rest.length > 0 && !await attempt(rest)) {
    const half = Math.ceil(rest.length / 2);
    for (const part of [rest.slice(0, half), rest.slice(half)]) {
      if (part.length > 0 && part.length < rest.length) await attempt(part);
    }
  }
  if (picked.length === 0) return { ...start, picked };
  const m = await measure(t, { ...start.recipe, methods }, `${start.name}, mixed`);
  return better(m, start, MARGIN.mixed) ? { ...m, picked } : { ...start, picked: [] };
}
