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
import { withKernels } from "../run/float_kernels/choose.ts";
import {
  measure,
  reportPerChannel,
  searchBias,
  searchMethod,
  searchRounding,
} from "./search/default_search.ts";
import type { Measured, SearchTools } from "./search/default_search.ts";
import { addForm } from "./search/forms.ts";
import type { Fork } from "./search/forms.ts";
import { spread } from "./search/held_back.ts";
import type { Split } from "./search/held_back.ts";
import { createJudge } from "./search/judge.ts";
import type { Judge } from "./search/judge.ts";
import { searchMixed } from "./search/mixed.ts";
import type { MixedGoal, ParetoPoint } from "./search/mixed.ts";
import { nodeInfoText, paretoCsv, paretoSvg, paretoTable } from "./search/pareto.ts";
import type { FormName, Recipe, Workshop } from "./search/recipe.ts";
import { searchMix } from "./search/mix.ts";
import { Sensitivity } from "./search/sensitive.ts";

/** Samples for the steps of a search. */
const TRIAL = 6;

/** Below this similarity `default` looks for methods per node, too. */
const POOR = 0.95;

/** What {@linkcode accuracySearch} needs. */
export interface AccuracyOptions {
  readonly engine: CalibrationEngine;
  readonly samples: CalibrationSet;
  readonly split: Split;
  readonly integerInputs: ReadonlySet<string>;
  readonly fork: Fork;
  /** The same with all samples, those that are held back too. */
  readonly forkAll: Fork;
  readonly goal?: MixedGoal;
  log(line: string): void;
  progress?(done: number, total: number): void;
}

/** What a search found, for reports. */
export interface SearchSummary {
  /** The recipe in words. */
  readonly chosen: string;
  /** On the held-back samples: the criterion, its worst output, and the mean cosine. */
  readonly similarity: number;
  readonly worst: number;
  readonly cosine: number;
  readonly samples: number;
  /** Evaluations of all held-back samples; coarse ones count by their share. */
  readonly evaluations: number;
  /** Of a search for int16 tensors. */
  readonly mixed?: {
    readonly int16: readonly string[];
    readonly nodeInfo: string;
    readonly reached: boolean;
    readonly evaluations: number;
    readonly pareto: readonly ParetoPoint[];
  };
}

/** A search, and what it leaves behind. */
export interface AccuracySearch {
  run(workshop: Workshop, plain: Recipe): Promise<Recipe>;
  /** What was found; after `run`. */
  summary(): SearchSummary | undefined;
  /** File name suffix -> text; after `run`. */
  files(): ReadonlyMap<string, string>;
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
  let summary: SearchSummary | undefined;
  const files = new Map<string, string>();
  return {
    summary: () => summary,
    files: () => files,
    async run(workshop, plain) {
      // Hundreds of pieces of the graph are opened and run a few times each.
      const engine = withKernels(o.engine, { whereverCovered: true });
      const judge = await createJudge(float, { ...o, held: o.split.held });
      let trial: Promise<Judge> | undefined;
      const tools: SearchTools = {
        workshop,
        judge,
        trial() {
          const { observed } = o.split;
          const held = spread(observed.length, Math.min(TRIAL, observed.length));
          return trial ??= createJudge(float, { ...o, held: held.map((k) => observed[k]!) });
        },
        engine,
        observed: () => samplesOf(o.samples, o.split.observed),
        log: o.log,
        ...(o.progress === undefined ? {} : { progress: o.progress }),
      };
      const { type, optimization } = config.calibration;
      const searches = type === "default" || type === "mix";
      const corrects = searches || optimization.includes("bias_correction");
      const shared = o.split.held.some((i) => o.split.observed.includes(i));
      o.log(
        `${o.split.held.length} of ${o.samples.count} samples ` +
          (shared
            ? "are compared with the float model; the thresholds come from these, too"
            : "are held back to compare"),
      );
      const forms = searches ? await addForms(workshop, o) : [];
      o.log(`search space: ${spaceText(workshop, forms, config, corrects, o.goal)}`);
      let best: Measured = workshop.calibrator.candidates.length > 1
        ? await searchMethod(tools, plain, {
          forms,
          zeros: searches && !zerosAlways(config),
        })
        : await measure(tools, plain, nameOf(plain));
      if (plain.form === "per_channel") await reportPerChannel(tools, best);
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
      if (optimization.includes("adaround")) best = await searchRounding(tools, best);
      if (corrects) {
        best = await searchBias(tools, best);
      }
      let mixed: SearchSummary["mixed"];
      if (o.goal !== undefined) {
        const found = await searchMixed(tools, sensitivity, best, o.goal, corrects);
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
        o.log("accuracy against latency (* chosen):");
        for (const line of paretoTable(found.pareto, found.chosen)) o.log(line);
        const { int16, reached, evaluations, pareto } = found;
        mixed = { int16, nodeInfo: text, reached, evaluations, pareto };
        files.set("_pareto.csv", paretoCsv(found.pareto));
        files.set("_pareto.svg", paretoSvg(found.pareto, found.chosen));
        files.set("_node_info.txt", `${text}\n`);
      }
      if (!shared) best = await refit(tools, best, o);
      o.log(
        `chosen: ${best.name}, similarity ${best.similarity.score.toFixed(6)} after ` +
          `${Number(judge.evaluations.toFixed(1))} evaluations of ${judge.samples} samples`,
      );
      const { score, worst, cosine } = best.similarity;
      summary = {
        ...{ chosen: best.name, similarity: score, worst, cosine, samples: judge.samples },
        evaluations: Number(judge.evaluations.toFixed(1)),
        ...(mixed === undefined ? {} : { mixed }),
      };
      return best.recipe;
    },
  };
}

/** Whether the calibrator gives zero points to whatever method, so that there is nothing to search. */
const zerosAlways = ({ calibration: c }: CompleteConfig) =>
  c.type !== "default" && c.optimization.includes("asymmetric");

/** Forms that `default` and `mix` choose from, as far as the model has any of them. */
async function addForms(w: Workshop, o: AccuracyOptions): Promise<FormName[]> {
  const found: FormName[] = [];
  for (const form of ["per_channel", "equalized", "smooth"] as const) {
    if ((await addForm(w, form, o.fork)).changed > 0) found.push(form);
  }
  return found;
}

/** Part by which the loss may grow with thresholds of all samples: it did not choose them. */
const SLACK = 0.05;

/**
 * The chosen recipe with thresholds of all samples: what was held back to decide is not lost for the
 * ranges. Taken back where the similarity falls.
 */
async function refit(t: SearchTools, best: Measured, o: AccuracyOptions): Promise<Measured> {
  const w = t.workshop, name = best.recipe.form ?? "plain", form = w.formOf(best.recipe);
  const roots = [...w.layout.needed, ...w.layout.accumulators].map((r) => w.layout.root(r))
    .filter((r) => w.fixed?.has(r) !== true);
  const calibrator = await o.forkAll(form.graph, [...new Set(roots)]);
  w.forms.set(name, { graph: form.graph, calibrator });
  const all = await measure(t, best.recipe, `${best.name}, thresholds of all samples`);
  const loss = (m: Measured) => 1 - m.similarity.score;
  // A goal that was reached stays reached.
  const worst = Math.min(o.goal?.accuracy ?? 0, best.similarity.worst);
  const as = loss(all) <= loss(best) * (1 + SLACK) && all.similarity.worst >= worst;
  if (as) return { ...all, name: best.name };
  w.forms.set(name, form);
  o.log("the thresholds of the observed samples are kept");
  return best;
}

const nameOf = (r: Recipe) => r.form === "per_channel" ? `${r.method}, per_channel` : r.method;

/** The dimensions of the search, as the log prints them. */
function spaceText(
  w: Workshop,
  forms: readonly FormName[],
  config: CompleteConfig,
  corrects: boolean,
  goal: MixedGoal | undefined,
): string {
  const { type, optimization } = config.calibration;
  const both = (there: boolean) => there ? "[False, True]" : "[False]";
  const searches = type === "default" || type === "mix";
  const always = zerosAlways(config);
  return [
    `methods [${w.calibrator.candidates.join(", ")}]`,
    ...(searches
      ? [
        `per_channel ${both(forms.includes("per_channel"))}`,
        `asymmetric ${always ? "[True]" : "[False, True]"}`,
        `equalization ${both(forms.includes("equalized"))}`,
        ...(forms.includes("smooth") ? ["smoothing [False, True]"] : []),
      ]
      : []),
    ...(optimization.includes("adaround") ? ["adaround [False, True]"] : []),
    ...(corrects ? ["bias correction [off, weights, full]"] : []),
    ...(type === "mix" ? ["methods per node"] : []),
    ...(goal === undefined ? [] : ["int16 per tensor"]),
  ].join(", ");
}
