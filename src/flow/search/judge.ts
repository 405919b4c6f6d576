/**
 * Runs programs on held-back samples and compares them with the float model.
 *
 * @module
 */

import type { Program } from "../../compile/program.ts";
import type { CalibrationSet } from "../../formats/data/mod.ts";
import type { Engine } from "../../ir/engine.ts";
import type { Graph } from "../../ir/graph.ts";
import type { Tensor } from "../../ir/tensor.ts";
import { openProgram } from "../../run/simulator.ts";
import { quantizedFeeds } from "../feeds.ts";
import { spread } from "./held_back.ts";
import { reference } from "../../debug/similarity.ts";
import type { Similarity } from "../../debug/similarity.ts";

/** What a judge needs. */
export interface JudgeParts {
  readonly engine: Engine;
  readonly samples: CalibrationSet;
  readonly integerInputs: ReadonlySet<string>;
  /** Indices of the held-back samples. */
  readonly held: readonly number[];
}

/** Measures programs. */
export interface Judge {
  /** Full evaluations so far; coarse ones count by their share of the samples. */
  readonly evaluations: number;
  /** Samples of a full evaluation, and of a coarse one. */
  readonly samples: number;
  readonly coarse: number;
  /** `coarse` measures on a few of the samples, which is enough to rank what differs clearly. */
  measure(program: Program, coarse?: boolean): Promise<Judgement>;
}

/** How well a program keeps the outputs of the float model. */
export interface Judgement {
  /** Of all samples together. */
  readonly similarity: Similarity;
  /** 1 - similarity of every sample on its own. */
  readonly losses: readonly number[];
}

/** Part of the mean loss below which losses of single samples are all the same: nothing. */
const FLOOR = 0.1;

/** Mean of the gains (logarithms of ratios of losses) of the single samples, and its standard error. */
function gain(a: Judgement, than: Judgement): { mean: number; error: number } {
  const n = Math.min(a.losses.length, than.losses.length);
  if (n < 2) return { mean: 0, error: 0 };
  // A sample that all recipes answer well may lose ten times more of next to nothing.
  const floor = FLOOR * than.losses.reduce((s, l) => s + l, 0) / n + Number.MIN_VALUE;
  const gains = Array.from(
    { length: n },
    (_, i) => Math.log((than.losses[i]! + floor) / (a.losses[i]! + floor)),
  );
  const mean = gains.reduce((s, g) => s + g, 0) / n;
  const variance = gains.reduce((s, g) => s + (g - mean) ** 2, 0) / (n - 1);
  return { mean, error: Math.sqrt(variance / n) };
}

/**
 * Whether one judgement is better than another of the same samples, among recipes of equal standing: the
 * loss of all samples together shrinks by more than `margin` of it, and the single samples do not
 * contradict (in the mean they lose by no more than the standard error). In detectors the loss of one
 * sample with few objects is mostly noise, that of all together is not.
 */
export function better(a: Judgement, than: Judgement, margin: number): boolean {
  const all = (j: Judgement) => 1 - j.similarity.score;
  if (!(all(a) < all(than) * (1 - margin))) return false;
  const { mean, error } = gain(a, than);
  return mean >= -error;
}

/**
 * The same where a step may do harm elsewhere: the losses of the single samples must also shrink in the
 * mean by more than the standard error of that mean. One good sample among others that became worse
 * proves nothing.
 */
export function clearlyBetter(a: Judgement, than: Judgement, margin: number): boolean {
  if (!better(a, than, margin)) return false;
  const { mean, error } = gain(a, than);
  return Math.min(a.losses.length, than.losses.length) < 2 || mean > error;
}

/** Samples of a coarse evaluation. */
const COARSE = 4;

/** A judge for a float graph. Only the outputs of the samples are kept in memory. */
export async function createJudge(float: Graph, p: JudgeParts): Promise<Judge> {
  const names = float.outputs.map((o) => o.name);
  const wanted: Map<string, Tensor>[] = [];
  const session = await p.engine.open(float, names);
  for (const i of p.held) wanted.push(await session.run(await p.samples.sample(i)));
  await session.close();
  const all = p.held.map((_, k) => k);
  // A coarse evaluation of most of the samples saves nothing.
  const few = all.length < 2 * COARSE ? all : spread(all.length, COARSE);
  const compared = reference(wanted);
  const comparedFew = few === all ? compared : reference(few.map((k) => wanted[k]!));
  const single = wanted.map((w) => reference([w]));
  let evaluations = 0;
  return {
    get evaluations() {
      return evaluations;
    },
    samples: all.length,
    coarse: few.length,
    async measure(program, coarse = false) {
      const used = coarse ? few : all;
      evaluations += used.length / Math.max(1, all.length);
      const simulator = await openProgram(program, { cpu: p.engine });
      try {
        const found: Map<string, Tensor>[] = [];
        for (const k of used) {
          const feeds = quantizedFeeds(await p.samples.sample(p.held[k]!), p.integerInputs);
          found.push(await simulator.run(feeds));
        }
        return {
          similarity: (coarse ? comparedFew : compared).compare(found),
          losses: used.map((k, i) => 1 - single[k]!.compare([found[i]!]).score),
        };
      } finally {
        await simulator.close();
      }
    },
  };
}
