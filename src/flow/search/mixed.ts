/**
 * Mixed precision: which tensors become int16, for an accuracy, a latency or a number of tensors.
 *
 * @module
 */

import { corrected } from "./bias.ts";
import { biasText, searchBias } from "./default_search.ts";
import type { Measured, SearchTools } from "./default_search.ts";
import { addedTime, buildWide, latency, wideable } from "./regions.ts";
import { better } from "./judge.ts";
import type { Judgement } from "./judge.ts";
import type { Recipe } from "./recipe.ts";
import type { Sensitive, Sensitivity } from "./sensitive.ts";

/** What is wanted; the first that is given decides, the others limit it. */
export interface MixedGoal {
  /** Smallest similarity of every output on held-back samples, 0 to 1. */
  readonly accuracy?: number;
  /** Most microseconds of the BPU part, by the cost model. */
  readonly latency?: number;
  /** Most int16 tensors. */
  readonly tensors?: number;
}

/** One set of int16 tensors. */
export interface ParetoPoint {
  /** Tensors at int16: the first of the ranking. */
  readonly count: number;
  /** The tensor that this point adds; empty for the first. */
  readonly tensor: string;
  readonly microseconds: number;
  /** Sum of the single errors of all tensors that are left at int8. */
  readonly predictedNoise: number;
  /** Where it was measured. */
  readonly similarity?: number;
}

/** Result of {@linkcode searchMixed}. */
export interface MixedResult extends Measured {
  readonly int16: readonly string[];
  /** How many tensors of the ranking are at int16; `int16` has what must go with them, too. */
  readonly chosen: number;
  readonly pareto: readonly ParetoPoint[];
  readonly reached: boolean;
  /** Full evaluations of the bisection. */
  readonly evaluations: number;
}

/**
 * Ranks tensors by error per added microsecond (by error alone where their number is the limit), finds
 * the shortest prefix of the ranking that reaches the goal by bisection, and corrects biases anew for
 * it.
 *
 * @param corrects whether bias corrections may be added; those that `start` has are found anew anyway
 */
export async function searchMixed(
  t: SearchTools,
  sensitivity: Sensitivity,
  start: Measured,
  goal: MixedGoal,
  corrects = false,
): Promise<MixedResult> {
  const w = t.workshop;
  const able = wideable(w);
  const all = await sensitivity.all(start.recipe);
  const added = addedTime(w, able);
  const value = (s: Sensitive) =>
    goal.tensors !== undefined ? s.noise : s.noise / Math.max(added.get(s.tensor)!, 1e-3);
  const asked = [...start.recipe.int16 ?? []];
  const ranked = all.filter((s) => able.has(s.tensor) && s.noise > 0 && !asked.includes(s.tensor))
    .sort((a, b) => value(b) - value(a) || (a.tensor < b.tensor ? -1 : 1));
  const prefix = (k: number) => new Set([...asked, ...ranked.slice(0, k).map((s) => s.tensor)]);
  const time = (k: number) => latency(w, prefix(k));

  let most = Math.min(ranked.length, goal.tensors ?? Infinity);
  if (goal.latency !== undefined) {
    let low = 0, high = most;
    while (low < high) {
      const mid = Math.ceil((low + high) / 2);
      if (time(mid) <= goal.latency) low = mid;
      else high = mid - 1;
    }
    most = low;
  }
  // Corrections for int8 activations do not fit int16 ones; those of the weights fit both.
  const { bias: given, ...plain } = start.recipe;
  let base: Recipe = given?.mode === "weights" ? start.recipe : plain;
  const measured = new Map<number, Judgement & { readonly recipe: Recipe }>();
  let evaluations = 0;
  const at = async (k: number) => {
    let m = measured.get(k);
    if (m === undefined) {
      const { recipe, built } = buildWide(w, { ...base, int16: prefix(k) }, t.log);
      evaluations++;
      m = { recipe, ...await t.judge.measure(w.program(built)) };
      measured.set(k, m);
      t.log(
        `  ${k} tensors at int16: similarity ${m.similarity.score.toFixed(6)} (worst output ` +
          `${m.similarity.worst.toFixed(6)}), about ${time(k).toFixed(1)} us`,
      );
    }
    return m;
  };
  let chosen = most, reached = true;
  if ((given !== undefined || corrects) && base.bias === undefined && goal.accuracy !== undefined) {
    // Where few tensors are int8, the error of the weights is most of what is left: a goal is compared
    // with what the corrections below will reach.
    const bare = await at(most);
    base = await corrected(w, base, "weights", t.observed(), t.engine);
    measured.clear();
    if (!better(await at(most), bare, 0)) {
      base = plain;
      measured.set(most, bare);
    }
  }
  if (goal.accuracy !== undefined) {
    const enough = async (k: number) => (await at(k)).similarity.worst >= goal.accuracy!;
    reached = await enough(most);
    if (reached) {
      let low = 0, high = most;
      while (low < high) {
        const mid = Math.floor((low + high) / 2);
        if (await enough(mid)) high = mid;
        else low = mid + 1;
      }
      chosen = high;
    }
  }
  const found = await at(chosen);
  const named = base.bias === undefined ? "" : `, bias correction ${biasText(base.bias.mode)}`;
  const method = start.name.replace(/, bias correction [^,]*/, "");
  const name = `${method}, ${chosen} tensors at int16`;
  let best: Measured = { ...found, name: name + named };
  if (given !== undefined || corrects) {
    const { bias: _, ...bare } = best.recipe;
    const other = await searchBias(t, { ...best, recipe: bare, name });
    const enough = goal.accuracy === undefined || !reached ||
      other.similarity.worst >= goal.accuracy;
    if (other.recipe.bias !== undefined && enough) {
      best = other;
      t.log(`  bias correction for these tensors: ${biasText(best.recipe.bias!.mode)}`);
    }
  }
  const total = all.reduce((s, x) => s + x.noise, 0);
  let left = total;
  const pareto = Array.from({ length: ranked.length + 1 }, (_, k): ParetoPoint => {
    if (k > 0) left -= ranked[k - 1]!.noise;
    const m = measured.get(k);
    return {
      count: k,
      tensor: k === 0 ? "" : ranked[k - 1]!.tensor,
      microseconds: time(k),
      predictedNoise: Math.max(0, left),
      ...(m === undefined ? {} : { similarity: m.similarity.worst }),
    };
  });
  return {
    ...best,
    int16: [...best.recipe.int16 ?? []],
    chosen,
    pareto,
    reached,
    evaluations,
  };
}
