/**
 * Error power at the outputs per tensor, with everything else in float.
 *
 * @module
 */

import { fakeQuantization, openReplay } from "../../debug/sensitivity.ts";
import type { Change, Replay } from "../../debug/sensitivity.ts";
import type { Feeds } from "../../ir/engine.ts";
import { qmaxOf, qminOf } from "../../ops/arithmetic.ts";
import { planScale } from "../../quantize/plan.ts";
import type { TensorPlan } from "../../quantize/plan.ts";
import type { SearchTools } from "./default_search.ts";
import type { Recipe } from "./recipe.ts";

/** Samples that the errors are measured on. */
export const SAMPLES = 2;
/** Most samples that may be asked for. */
export const MOST_SAMPLES = 6;
/** Tensors whose rank is settled on all of these samples; the others on the first. */
const SETTLED = 48;
/** Thresholds that differ by less than this part make the same error. */
const SAME = 0.02;

/** A tensor (root) with the error that it alone makes. */
export interface Sensitive {
  readonly tensor: string;
  /** Error power over signal power at the outputs. */
  readonly noise: number;
}

/** What a plan makes of values. */
const changeOf = (p: TensorPlan): Change =>
  fakeQuantization(planScale(p), qminOf(p.dtype), qmaxOf(p.dtype), p.zero);

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
      const changes = [...open.values()].map(changeOf);
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
