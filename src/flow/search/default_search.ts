/**
 * `default`: one threshold method for the whole model, and a bias correction, chosen on held-back
 * samples.
 *
 * @module
 */

import type { CalibrationEngine, Samples } from "../../calibrate/observe.ts";
import type { Similarity } from "../../debug/similarity.ts";
import { throughFunction } from "../calibrator.ts";
import { corrected } from "./bias.ts";
import type { Judge } from "./judge.ts";
import type { BiasMode, Recipe, Workshop } from "./recipe.ts";

/** What searches work with. */
export interface SearchTools {
  readonly workshop: Workshop;
  readonly judge: Judge;
  readonly engine: CalibrationEngine;
  /** Samples that are not held back. */
  observed(): Samples;
  log(line: string): void;
  progress?(done: number, total: number): void;
}

/** A recipe that was measured. */
export interface Measured {
  readonly recipe: Recipe;
  readonly similarity: Similarity;
  /** As the log prints it. */
  readonly name: string;
}

/** Carries out a recipe and measures it. */
export async function measure(t: SearchTools, recipe: Recipe, name: string): Promise<Measured> {
  const w = t.workshop;
  const similarity = await t.judge.measure(w.program(w.build(recipe)));
  t.log(
    `  ${name}: similarity ${similarity.score.toFixed(6)}, cosine ${similarity.cosine.toFixed(6)}`,
  );
  return { recipe, similarity, name };
}

/**
 * A loss (1 - score) must shrink by this part before something less simple is taken: smaller
 * differences are not seen again on other samples.
 */
const MARGIN: Readonly<Record<"method" | "weights" | "full", number>> = {
  method: 0,
  weights: 0.01,
  full: 0.05,
};

function better(a: Measured, than: Measured, margin: number): boolean {
  const loss = (m: Measured) => 1 - m.similarity.score;
  return loss(a) < loss(than) * (1 - margin);
}

/**
 * Measures every method, the best two also with thresholds of functions' inputs taken behind the
 * function, and what is best with a bias correction. `plain` is the recipe of the first method.
 */
export async function searchMethod(t: SearchTools, plain: Recipe): Promise<Measured> {
  const { workshop: w } = t;
  const methods = w.calibrator.candidates;
  const functions = w.calibrator.functionInputs?.() ?? new Set<string>();
  const tried: Measured[] = [];
  for (const method of methods) tried.push(await measure(t, { ...plain, method }, method));
  const ranked = [...tried].sort((a, b) => b.similarity.score - a.similarity.score);
  if (functions.size > 0) {
    const overrides = new Map([...functions].map((f): [string, string] => [f, throughFunction]));
    for (const m of ranked.slice(0, 2)) {
      const recipe = { ...m.recipe, methods: overrides };
      tried.push(await measure(t, recipe, `${m.name} with ${throughFunction}`));
    }
  }
  let best = tried[0]!;
  for (const m of tried) if (better(m, best, MARGIN.method)) best = m;
  return best;
}

/**
 * The recipe without, with weight-only and with full bias correction, whichever is best on the
 * held-back samples.
 */
export async function searchBias(t: SearchTools, start: Measured): Promise<Measured> {
  let best = start;
  for (const mode of ["weights", "full"] as const) {
    const recipe = await corrected(t.workshop, start.recipe, mode, t.observed(), t.engine);
    if (recipe.bias === undefined) return start; // nothing to correct
    const m = await measure(t, recipe, `${start.name}, bias correction ${biasText(mode)}`);
    if (better(m, best, MARGIN[mode])) best = m;
  }
  return best;
}

/** Name of a bias correction in logs. */
export function biasText(mode: BiasMode): string {
  return mode === "weights" ? "of the weights" : mode;
}
