/**
 * What a configuration and the accuracy flags decide, as one search: threshold method, per-node
 * methods, bias correction, int16 tensors.
 *
 * @module
 */

import type { CalibrationEngine, Samples } from "../calibrate/observe.ts";
import type { CompleteConfig } from "../formats/config/mod.ts";
import type { CalibrationSet } from "../formats/data/mod.ts";
import type { Graph } from "../ir/graph.ts";
import { measure, searchBias, searchMethod } from "./search/default_search.ts";
import type { Measured, SearchTools } from "./search/default_search.ts";
import type { Split } from "./search/held_back.ts";
import { createJudge } from "./search/judge.ts";
import { searchMixed } from "./search/mixed.ts";
import type { MixedGoal, MixedResult } from "./search/mixed.ts";
import { nodeInfoText, paretoCsv, paretoSvg } from "./search/pareto.ts";
import type { Recipe, Workshop } from "./search/recipe.ts";
import { searchMix, Sensitivity } from "./search/sensitive.ts";

/** Below this similarity `default` looks for methods per node, too. */
const POOR = 0.95;

/** What {@linkcode accuracySearch} needs. */
export interface AccuracyOptions {
  readonly engine: CalibrationEngine;
  readonly samples: CalibrationSet;
  readonly split: Split;
  readonly integerInputs: ReadonlySet<string>;
  readonly goal?: MixedGoal;
  log(line: string): void;
  progress?(done: number, total: number): void;
}

/** A search, and what it leaves behind. */
export interface AccuracySearch {
  run(workshop: Workshop, plain: Recipe): Promise<Recipe>;
  /** The int16 tensors that were found; after `run`. */
  mixed(): MixedResult | undefined;
  /** File name suffix -> text; after `run`. */
  files(): ReadonlyMap<string, string>;
}

/** Whether anything is to be searched; without it all samples set thresholds and none is held back. */
export function needsSearch(
  c: Pick<CompleteConfig, "calibration">,
  goal: MixedGoal | undefined,
): boolean {
  const { type, optimization } = c.calibration;
  return type === "default" || type === "mix" || goal !== undefined ||
    optimization.includes("bias_correction");
}

/** Samples of some indices, one at a time. */
export async function* samplesOf(set: CalibrationSet, indices: readonly number[]): Samples {
  for (const i of indices) yield await set.sample(i);
}

/** The search that a configuration asks for. `float` is the model before anything was changed. */
export function accuracySearch(
  float: Graph,
  config: CompleteConfig,
  o: AccuracyOptions,
): AccuracySearch {
  let found: MixedResult | undefined;
  const files = new Map<string, string>();
  return {
    mixed: () => found,
    files: () => files,
    async run(workshop, plain) {
      const judge = await createJudge(float, { ...o, held: o.split.held });
      const tools: SearchTools = {
        workshop,
        judge,
        engine: o.engine,
        observed: () => samplesOf(o.samples, o.split.observed),
        log: o.log,
        ...(o.progress === undefined ? {} : { progress: o.progress }),
      };
      const { type, optimization } = config.calibration;
      const searches = type === "default" || type === "mix";
      const shared = o.split.held.some((i) => o.split.observed.includes(i));
      o.log(
        `${o.split.held.length} of ${o.samples.count} samples are held back to compare` +
          (shared ? "; there are too few samples to keep them out of the calibration" : ""),
      );
      o.log(
        `search space: methods [${workshop.calibrator.candidates.join(", ")}]` +
          (searches || optimization.includes("bias_correction")
            ? ", bias correction [off, weights, full]"
            : "") +
          (type === "mix" ? ", methods per node" : "") +
          (o.goal === undefined ? "" : ", int16 per tensor"),
      );
      const first = plain;
      let best: Measured = workshop.calibrator.candidates.length > 1
        ? await searchMethod(tools, first)
        : await measure(tools, first, first.method);
      const sensitivity = new Sensitivity(tools);
      const poor = searches && best.similarity.score < POOR;
      if (poor && type === "default") {
        o.log(`the best method is below a similarity of ${POOR}: looking for methods per node`);
      }
      if (type === "mix" || poor || (o.goal !== undefined && searches)) {
        const mix = await searchMix(tools, sensitivity, best);
        for (const p of mix.picked) {
          o.log(
            `  ${p.tensor}: ${p.method}, error at the outputs ${p.before.toExponential(2)} -> ` +
              p.after.toExponential(2),
          );
        }
        o.log(
          mix.picked.length === 0
            ? "methods per node gain nothing on the held-back samples"
            : `methods of ${mix.picked.length} nodes changed, similarity ` +
              `${best.similarity.score.toFixed(6)} -> ${mix.similarity.score.toFixed(6)}`,
        );
        best = mix;
      }
      if (searches || optimization.includes("bias_correction")) {
        best = await searchBias(tools, best);
      }
      if (o.goal !== undefined) {
        found = await searchMixed(tools, sensitivity, best, o.goal);
        best = found;
        const text = nodeInfoText(workshop, found.int16);
        o.log(
          `${found.int16.length} tensors at int16` +
            (found.reached
              ? ""
              : `; the accuracy ${o.goal.accuracy} is not reached, this is the best there is`),
        );
        o.log("node_info to paste into model_parameters:");
        for (const line of text.split("\n")) o.log(line);
        files.set("_pareto.csv", paretoCsv(found.pareto));
        files.set("_pareto.svg", paretoSvg(found.pareto, found.int16.length));
        files.set("_node_info.txt", `${text}\n`);
      }
      o.log(
        `chosen: ${best.name}, similarity ${best.similarity.score.toFixed(6)} after ` +
          `${judge.evaluations} evaluations`,
      );
      return best.recipe;
    },
  };
}
