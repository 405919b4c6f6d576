/**
 * `default`: one threshold method, form of the graph and bias correction for the whole model, chosen on
 * held-back samples.
 *
 * @module
 */

import type { CalibrationEngine, Samples } from "../../calibrate/observe.ts";
import { throughFunction } from "../calibrator.ts";
import { corrected } from "./bias.ts";
import { better, clearlyBetter } from "./judge.ts";
import type { Judge, Judgement } from "./judge.ts";
import { Refusal } from "../../quantize/lower.ts";
import type { BiasMode, FormName, Recipe, Workshop } from "./recipe.ts";
import { withRounding } from "./rounding.ts";

/** What searches work with. */
export interface SearchTools {
  readonly workshop: Workshop;
  readonly judge: Judge;
  /** Compares on a few samples that are not held back: for steps of a search, not for its decisions. */
  trial(): Promise<Judge>;
  readonly engine: CalibrationEngine;
  /** Samples that are not held back. */
  observed(): Samples;
  log(line: string): void;
  progress?(done: number, total: number): void;
}

/** A recipe that was measured. */
export interface Measured extends Judgement {
  readonly recipe: Recipe;
  /** As the log prints it. */
  readonly name: string;
}

/** Carries out a recipe and measures it. */
export async function measure(
  t: SearchTools,
  recipe: Recipe,
  name: string,
  coarse = false,
): Promise<Measured> {
  const w = t.workshop;
  const judged = await t.judge.measure(w.program(w.build(recipe)), coarse);
  const { similarity } = judged;
  const of = coarse && t.judge.coarse < t.judge.samples ? ` on ${t.judge.coarse} samples` : "";
  t.log(
    `  ${name}: similarity ${similarity.score.toFixed(6)}, cosine ${
      similarity.cosine.toFixed(6)
    }${of}`,
  );
  return { ...judged, recipe, name };
}

/**
 * A loss (1 - score) must shrink by this part before something less simple is taken: smaller
 * differences are not seen again on other samples.
 */
export const MARGIN = {
  method: 0,
  mixed: 0.03,
  weights: 0.01,
  form: 0.03,
  rounding: 0.02,
  full: 0.05,
  spatial: 0.25,
} as const;

/** How recipes are called in logs. */
const FORM_TEXT: Readonly<Record<FormName, string>> = {
  plain: "",
  per_channel: ", per_channel",
  equalized: ", equalized",
  smooth: ", smoothed",
};

/** Methods that go on to the other dimensions, and recipes that are measured on all samples. */
const KEPT = 2, FINAL = 5;

/** Dimensions of {@linkcode searchMethod} besides the methods. */
export interface MethodOptions {
  /** Forms that were added to the workshop. */
  readonly forms?: readonly FormName[];
  /** Whether zero points are tried. */
  readonly zeros?: boolean;
}

/**
 * Measures every method without and with zero points, then the best two with thresholds of functions'
 * inputs taken behind the function, then the best two in the other forms of the graph. Ranking is done on a few of the
 * held-back samples; the best and the first method (`max`), which nothing may fall below, are measured
 * on all of them.
 *
 * @param plain the recipe of the first method
 */
export async function searchMethod(
  t: SearchTools,
  plain: Recipe,
  options: MethodOptions = {},
): Promise<Measured> {
  const forms = options.forms ?? [];
  const { workshop: w } = t;
  const functions = w.calibrator.functionInputs?.() ?? new Set<string>();
  const overrides = new Map([...functions].map((f): [string, string] => [f, throughFunction]));
  const tried: { readonly m: Measured; readonly margin: number }[] = [];
  const methods = w.calibrator.candidates;
  const zeros = options.zeros === true ? [false, true] : [false];
  const steps = methods.length * zeros.length +
    KEPT * (forms.length + (overrides.size > 0 ? 1 : 0));
  const attempt = async (recipe: Recipe, name: string, margin: number): Promise<void> => {
    try {
      tried.push({ m: await measure(t, recipe, name, true), margin });
    } catch (error) {
      // The plain form was built before; another one may have numbers that do not fit.
      if (!(error instanceof Refusal) || recipe.form === undefined) throw error;
      t.log(`  ${name}: not possible, ${error.why}`);
    }
    t.progress?.(tried.length, steps);
  };
  for (const asymmetric of zeros) {
    for (const method of methods) {
      const recipe = { ...plain, method, ...(asymmetric ? { asymmetric } : {}) };
      await attempt(recipe, method + (asymmetric ? ", asymmetric" : ""), MARGIN.method);
    }
  }
  const first = tried[0]!;
  const score = (x: { readonly m: Measured }) => x.m.similarity.score;
  const rank = () => [...tried].sort((a, b) => score(b) - score(a));
  const leaders = rank().slice(0, KEPT);
  for (const { m, margin } of leaders) {
    if (overrides.size > 0) {
      const recipe = { ...m.recipe, methods: overrides };
      await attempt(recipe, `${m.name} with ${throughFunction}`, margin);
    }
  }
  for (const { m } of rank().slice(0, KEPT)) {
    for (const form of forms) {
      await attempt({ ...m.recipe, form }, m.name + FORM_TEXT[form], MARGIN.form);
    }
  }
  const final = rank().slice(0, FINAL - 1);
  // In the order in which they were tried, so that ties go to what is simpler.
  const chosen = tried.filter((x) => x === first || final.includes(x));
  let best: Measured | undefined;
  for (const { m, margin } of chosen) {
    const full = t.judge.coarse < t.judge.samples ? await measure(t, m.recipe, m.name) : m;
    // Methods stand side by side; another form of the graph has to prove itself.
    const beats = margin === MARGIN.method ? better : clearlyBetter;
    if (best === undefined || beats(full, best, margin)) best = full;
  }
  return best!;
}

/**
 * Says what an explicit `per_channel` costs or gains: the same recipe with one scale per tensor is
 * measured as well. The recipe stays as it was asked for.
 */
export async function reportPerChannel(t: SearchTools, asked: Measured): Promise<void> {
  const { form: _, ...recipe } = asked.recipe;
  const other = await measure(
    t,
    recipe,
    `${asked.name.replace(", per_channel", "")}, one scale per tensor`,
  );
  const [with_, without] = [asked, other].map((m) => m.similarity.score.toFixed(6));
  const advice = clearlyBetter(other, asked, MARGIN.form)
    ? "it costs accuracy here: set per_channel to False, or use calibration_type default, which decides it"
    : clearlyBetter(asked, other, MARGIN.form)
    ? "it gains accuracy here"
    : "it makes no clear difference here";
  t.log(`per_channel: similarity ${without} without, ${with_} with it; ${advice}`);
}

/** The recipe with chosen rounding of the weights, where that is better on the held-back samples. */
export async function searchRounding(t: SearchTools, start: Measured): Promise<Measured> {
  const found = await withRounding(t, start.recipe);
  if (found.layers === 0) {
    t.log("adaround: no convolution can be rounded");
    return start;
  }
  t.log(
    `adaround: ${found.flipped} weights of ${found.layers} layers are not rounded to the nearest` +
      (found.skipped.length === 0 ? "" : `; ${found.skipped.length} layers are too large`),
  );
  const m = await measure(t, found.recipe, `${start.name}, adaround`);
  if (clearlyBetter(m, start, MARGIN.rounding)) return m;
  t.log("adaround: no gain on the held-back samples, weights are rounded to the nearest");
  return start;
}

/**
 * The recipe without, with weight-only and with full bias correction, whichever is best on the
 * held-back samples.
 */
export async function searchBias(t: SearchTools, start: Measured): Promise<Measured> {
  let best = start;
  // In maps and lists of boxes the background rules the means, and full correction moves the objects.
  const vectors = t.workshop.graph.outputs.every((o) => o.shape.length < 3);
  const margins = { weights: MARGIN.weights, full: vectors ? MARGIN.full : MARGIN.spatial };
  for (const mode of ["weights", "full"] as const) {
    const recipe = await corrected(
      t.workshop,
      start.recipe,
      mode,
      t.observed(),
      t.engine,
      t.progress === undefined ? undefined : (done, total) => t.progress?.(done, total),
    );
    if (recipe.bias === undefined) return start; // nothing to correct
    const m = await measure(t, recipe, `${start.name}, bias correction ${biasText(mode)}`);
    if (clearlyBetter(m, best, margins[mode])) best = m;
  }
  return best;
}

/** Name of a bias correction in logs. */
export function biasText(mode: BiasMode): string {
  return mode === "weights" ? "of the weights" : mode;
}
