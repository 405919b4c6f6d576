/**
 * Error power at the outputs per tensor, with everything else in float; and `mix`, which uses it to
 * choose a threshold method for the tensors that matter most.
 *
 * @module
 */

import { fakeQuantization, openReplay } from "../../debug/sensitivity.ts";
import type { Replay } from "../../debug/sensitivity.ts";
import type { Feeds } from "../../ir/engine.ts";
import { qmaxOf, qminOf, scaleOf } from "../../ops/arithmetic.ts";
import { throughFunction } from "../calibrator.ts";
import { measure } from "./default_search.ts";
import type { Measured, SearchTools } from "./default_search.ts";
import type { Recipe } from "./recipe.ts";

/** Samples that the errors are measured on. */
const SAMPLES = 2;
/** Tensors for which `mix` tries all methods. */
const MIXED = 32;

/** A tensor (root) with the error that it alone makes. */
export interface Sensitive {
  readonly tensor: string;
  /** Error power over signal power at the outputs. */
  readonly noise: number;
}

/** Keeps what was measured, so that several searches share it. */
export class Sensitivity {
  #replay: Promise<Replay> | undefined;
  readonly #known = new Map<string, number>();

  constructor(private readonly tools: SearchTools) {}

  async #open(): Promise<Replay> {
    const samples: Feeds[] = [];
    for await (const s of this.tools.observed()) {
      samples.push(s);
      if (samples.length === SAMPLES) break;
    }
    return await openReplay(this.tools.workshop.graph, samples, this.tools.engine);
  }

  /** Error of a tensor at int8 by several methods, in their order. */
  async noise(tensor: string, methods: readonly string[]): Promise<number[]> {
    const { calibrator } = this.tools.workshop;
    const thresholds = methods.map((m) => calibrator.threshold(m, tensor, "int8").threshold);
    const key = (t: number) => JSON.stringify([tensor, t]);
    const open = [...new Set(thresholds)].filter((t) => !this.#known.has(key(t)));
    if (open.length > 0) {
      const replay = await (this.#replay ??= this.#open());
      const found = await replay.noise(
        tensor,
        open.map((t) => fakeQuantization(scaleOf(t, "int8"), qminOf("int8"), qmaxOf("int8"))),
      );
      open.forEach((t, i) => this.#known.set(key(t), found[i]!));
    }
    return thresholds.map((t) => this.#known.get(key(t))!);
  }

  /** All tensors with a threshold of their own, the most sensitive first. */
  async all(recipe: Recipe): Promise<Sensitive[]> {
    const w = this.tools.workshop;
    const built = w.build({ ...recipe, int16: new Set<string>() });
    const out: Sensitive[] = [];
    const roots = [...w.layout.needed].filter((t) => w.fixed?.has(t) !== true);
    for (const [i, tensor] of roots.entries()) {
      const plan = built.plan.tensors.get(tensor)!;
      const method = plan.method === "bound" ? "max" : plan.method;
      out.push({ tensor, noise: (await this.noise(tensor, [method]))[0]! });
      this.tools.progress?.(i + 1, roots.length);
    }
    return out.sort((a, b) => b.noise - a.noise || (a.tensor < b.tensor ? -1 : 1));
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
  const { calibrator } = t.workshop;
  const functions = calibrator.functionInputs?.() ?? new Set<string>();
  const methods = new Map(start.recipe.methods);
  const picked: Mixed["picked"][number][] = [];
  for (const { tensor, noise } of (await sensitivity.all(start.recipe)).slice(0, MIXED)) {
    const names = [...calibrator.candidates, ...(functions.has(tensor) ? [throughFunction] : [])];
    const errors = await sensitivity.noise(tensor, names);
    let best = 0;
    for (const i of errors.keys()) if (errors[i]! < errors[best]!) best = i;
    if (errors[best]! >= noise * 0.95) continue;
    methods.set(tensor, names[best]!);
    picked.push({ tensor, method: names[best]!, before: noise, after: errors[best]! });
  }
  if (picked.length === 0) return { ...start, picked };
  const m = await measure(t, { ...start.recipe, methods }, `${start.name}, mixed`);
  return m.similarity.score > start.similarity.score ? { ...m, picked } : { ...start, picked: [] };
}
