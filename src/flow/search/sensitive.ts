/**
 * Error power at the outputs per tensor, with everything else in float; and `mix`, which uses it to
 * choose a threshold method for the tensors that matter most.
 *
 * @module
 */

import { openReplay } from "../../debug/sensitivity.ts";
import type { Change, Replay } from "../../debug/sensitivity.ts";
import type { Feeds } from "../../ir/engine.ts";
import { qmaxOf, qminOf, quantizeValue } from "../../ops/arithmetic.ts";
import { planScale } from "../../quantize/plan.ts";
import type { TensorPlan } from "../../quantize/plan.ts";
import { shareOfMax, throughFunction } from "../calibrator.ts";
import { MARGIN, measure } from "./default_search.ts";
import type { Measured, SearchTools } from "./default_search.ts";
import { better } from "./judge.ts";
import type { Recipe } from "./recipe.ts";

/** Samples that the errors are measured on. */
const SAMPLES = 2;
/**
 * Samples for the tensors that make more than this part of all error: where little else matters, a
 * threshold that fits two pictures is not good enough.
 */
const MOST_SAMPLES = 6, DOMINANT = 0.05;
/** Parts of the largest magnitude that are tried for them beside the methods. */
const SHARES = [0.9, 0.8, 0.7, 0.6, 0.5, 0.42, 0.35, 0.3, 0.25, 0.2];
/** Tensors whose rank is settled on all of these samples; the others on the first. */
const SETTLED = 48;
/** Part of the error of all tensors below which no other threshold is looked for. */
const NEGLIGIBLE = 1 / 500;
/** Thresholds that differ by less than this part make the same error. */
const SAME = 0.02;
/** Tensors for which `mix` tries all methods. */
const MIXED = 32;

/** A tensor (root) with the error that it alone makes. */
export interface Sensitive {
  readonly tensor: string;
  /** Error power over signal power at the outputs. */
  readonly noise: number;
}

/** What a plan makes of values. */
function fakeQuantization(p: TensorPlan): Change {
  const scale = planScale(p), low = qminOf(p.dtype), high = qmaxOf(p.dtype);
  return (values) =>
    values.map((v) => (quantizeValue(v, scale, p.zero, low, high) - p.zero) * scale);
}

/** Keeps what was measured, so that several searches share it. */
export class Sensitivity {
  readonly #replays = new Map<string, Promise<Replay>>();
  readonly #known = new Map<string, number>();

  constructor(private readonly tools: SearchTools) {}

  async #open(form: Pick<Recipe, "form">): Promise<Replay> {
    const samples: Feeds[] = [];
    for await (const s of this.tools.observed()) {
      samples.push(s);
      if (samples.length === MOST_SAMPLES) break;
    }
    return await openReplay(this.tools.workshop.formOf(form).graph, samples, this.tools.engine);
  }

  /**
   * Error of a tensor at int8 by several methods, in their order, on a number of samples. Methods whose
   * thresholds are all but equal share one measurement.
   */
  async noise(
    recipe: Pick<Recipe, "form" | "asymmetric">,
    tensor: string,
    methods: readonly string[],
    samples = SAMPLES,
  ): Promise<number[]> {
    const { calibrator } = this.tools.workshop.formOf(recipe);
    const form = recipe.form ?? "plain", zero = recipe.asymmetric === true;
    const key = (t: number) => JSON.stringify([form, zero, samples, tensor, t]);
    const open = new Map<number, TensorPlan>();
    const thresholds = methods.map((m) => {
      const plan = calibrator.threshold(m, tensor, "int8", zero || undefined);
      const { threshold } = plan;
      const near = [...open.keys()].find((o) => Math.abs(o - threshold) <= SAME * threshold);
      if (near !== undefined) return near;
      if (!this.#known.has(key(threshold))) {
        open.set(threshold, plan);
      }
      return threshold;
    });
    if (open.size > 0) {
      let replay = this.#replays.get(form);
      if (replay === undefined) this.#replays.set(form, replay = this.#open(recipe));
      const changes = [...open.values()].map(fakeQuantization);
      const found = await (await replay).noise(tensor, changes, samples);
      [...open.keys()].forEach((t, i) => this.#known.set(key(t), found[i]!));
    }
    return thresholds.map((t) => this.#known.get(key(t))!);
  }

  /**
   * All tensors with a threshold of their own, the most sensitive first. The order of the first ones is
   * settled on all samples, that of the rest on one.
   */
  async all(recipe: Recipe): Promise<Sensitive[]> {
    const w = this.tools.workshop;
    const built = w.build({ ...recipe, int16: new Set<string>() });
    const roots = [...w.layout.needed].filter((t) => w.fixed?.has(t) !== true);
    const measure = async (tensor: string, samples: number): Promise<Sensitive> => {
      const plan = built.plan.tensors.get(tensor)!;
      const method = plan.method === "bound" ? "max" : plan.method;
      return { tensor, noise: (await this.noise(recipe, tensor, [method], samples))[0]! };
    };
    const order = (a: Sensitive, b: Sensitive) =>
      b.noise - a.noise || (a.tensor < b.tensor ? -1 : 1);
    const total = roots.length + Math.min(SETTLED, roots.length);
    const rough: Sensitive[] = [];
    for (const [i, tensor] of roots.entries()) {
      rough.push(await measure(tensor, 1));
      this.tools.progress?.(i + 1, total);
    }
    rough.sort(order);
    const out = rough.slice(SETTLED);
    for (const [i, s] of rough.slice(0, SETTLED).entries()) {
      out.push(await measure(s.tensor, SAMPLES));
      this.tools.progress?.(roots.length + i + 1, total);
    }
    return out.sort(order);
  }
}

/** Tensors whose thresholds `mix` chose. */
export interface Mixed extends Measured {
  readonly picked: readonly {
    readonly tensor: string;
    readonly method: string;
    readonly before: number;
    readonly after: number;
  }[];
}

/**
 * Chooses the threshold method of the most sensitive tensors by the error that each makes at the
 * outputs. `start` is kept where the result is not better on the held-back samples.
 */
export async function searchMix(
  t: SearchTools,
  sensitivity: Sensitivity,
  start: Measured,
): Promise<Mixed> {
  const { calibrator } = t.workshop.formOf(start.recipe);
  const functions = calibrator.functionInputs?.() ?? new Set<string>();
  const methods = new Map(start.recipe.methods);
  const picked: Mixed["picked"][number][] = [];
  const all = await sensitivity.all(start.recipe);
  const total = all.reduce((sum, s) => sum + s.noise, 0);
  const worst = all.slice(0, MIXED).filter((s) => s.noise > NEGLIGIBLE * total);
  for (const [i, { tensor, noise }] of worst.entries()) {
    t.progress?.(i + 1, worst.length);
    const dominant = noise > DOMINANT * total;
    const given = methods.get(tensor) ?? start.recipe.method;
    const names = [
      ...new Set([
        given,
        ...calibrator.candidates,
        ...(functions.has(tensor) ? [throughFunction] : []),
        ...(dominant ? SHARES.map(shareOfMax) : []),
      ]),
    ];
    const samples = dominant ? MOST_SAMPLES : SAMPLES;
    const errors = await sensitivity.noise(start.recipe, tensor, names, samples);
    let best = 0;
    for (const i of errors.keys()) if (errors[i]! < errors[best]!) best = i;
    if (errors[best]! >= errors[0]! * 0.95) continue;
    methods.set(tensor, names[best]!);
    picked.push({ tensor, method: names[best]!, before: errors[0]!, after: errors[best]! });
  }
  if (picked.length === 0) return { ...start, picked };
  const m = await measure(t, { ...start.recipe, methods }, `${start.name}, mixed`);
  return better(m, start, MARGIN.mixed) ? { ...m, picked } : { ...start, picked: [] };
}
