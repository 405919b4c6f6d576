/**
 * The chain from a float graph to a program: optimize, place, calibrate, quantize, compile. Every stage
 * is a value in the result.
 *
 * @module
 */

import { compile } from "../compile/compile.ts";
import type { Program } from "../compile/program.ts";
import type { Engine } from "../ir/engine.ts";
import type { Graph } from "../ir/graph.ts";
import type { March } from "../march/march.ts";
import { inferTypes } from "../ops/infer.ts";
import { optimize } from "../passes/mod.ts";
import { insertCalibration } from "../quantize/calibrated.ts";
import { layoutOf } from "../quantize/layout.ts";
import type { QuantLayout } from "../quantize/layout.ts";
import { Refusal } from "../quantize/lower.ts";
import { place } from "../quantize/place.ts";
import type { PlaceOptions } from "../quantize/place.ts";
import type { QType } from "../ops/arithmetic.ts";
import type { Plan, TensorPlan } from "../quantize/plan.ts";
import { quantize } from "../quantize/quantize.ts";
import type { Quantized } from "../quantize/quantize.ts";

/** Where thresholds come from. */
export interface Calibrator {
  /** Names of the threshold methods that may be chosen from; at least one. */
  readonly candidates: readonly string[];
  /** Gathers statistics of tensors of the optimized graph; called again when more are needed. */
  observe(graph: Graph, tensors: readonly string[]): Promise<void>;
  /** Threshold of an observed tensor by one of the methods, for int8 or int16. */
  threshold(candidate: string, tensor: string, dtype: QType): TensorPlan;
}

/** Names of the stages, in order. */
export type StageName = "optimize" | "calibrate" | "quantize" | "compile";

/** What {@linkcode convert} needs. */
export interface ConvertOptions {
  readonly march: March;
  readonly place?: PlaceOptions;
  /** Thresholds that are known beforehand (inputs of pictures). */
  readonly fixed?: ReadonlyMap<string, TensorPlan>;
  /** Graph inputs that arrive as int8. */
  readonly integerInputs?: ReadonlySet<string>;
  /**
   * Tensors of the optimized graph that are to be int16, for a layout (so that a request about a node's
   * output finds the tensor that carries its scale). Tensors named by any sharer count.
   */
  readonly int16?: (graph: Graph, layout: QuantLayout) => ReadonlySet<string>;
  readonly calibrator: Calibrator;
  /** Chooses among several candidates; returns the index. Only called when there are several. */
  choose?(optimized: Graph, candidates: readonly Candidate[]): Promise<number>;
  /** Evaluates constant nodes that have no fold of their own. */
  readonly engine?: Engine;
  /** One line for the log. */
  log?(line: string): void;
  /** Called when a stage ends; the caller keeps the time. */
  stage?(name: StageName): void;
}

/** All stages of a conversion. */
export interface Conversion {
  readonly original: Graph;
  readonly optimized: Graph;
  readonly calibrated: Graph;
  readonly quantized: Quantized;
  readonly program: Program;
  readonly plan: Plan;
  readonly layout: QuantLayout;
  /** Method that set the thresholds. */
  readonly method: string;
}

interface Built {
  readonly plan: Plan;
  readonly quantized: Quantized;
}

/** One of several quantizations to choose from. */
export interface Candidate extends Built {
  readonly method: string;
  readonly program: Program;
}

/** Runs the float passes on a graph with static shapes. */
export async function optimized(
  original: Graph,
  options: { engine?: Engine; log?(line: string): void } = {},
): Promise<Graph> {
  const { graph } = await optimize(inferTypes(original), {
    ...(options.engine === undefined ? {} : { engine: options.engine }),
    ...(options.log === undefined ? {} : { log: (line) => options.log?.(line) }),
  });
  return inferTypes(graph);
}

/**
 * Converts a float graph.
 *
 * A node whose numbers do not fit is moved to the CPU with its reason, and the rest is quantized again.
 */
export async function convert(original: Graph, options: ConvertOptions): Promise<Conversion> {
  const graph = await optimized(original, options);
  options.stage?.("optimize");
  const refused = new Map<string, string>(options.place?.refused);
  const known = new Set<string>(options.fixed?.keys());
  const { calibrator } = options;

  for (;;) {
    const nodes = place(graph, options.march, { ...options.place, refused });
    const first = layoutOf(graph, nodes, options.march);
    const wide = new Set([...options.int16?.(graph, first) ?? []].map((t) => first.root(t)));
    const layout = wide.size === 0 ? first : layoutOf(graph, nodes, options.march, wide);
    const missing = [...layout.needed].filter((t) => !known.has(t));
    if (missing.length > 0) {
      await calibrator.observe(graph, missing);
      for (const t of missing) known.add(t);
    }
    const build = (method: string): Built => {
      const tensors = new Map(
        [...layout.needed].map((t): [string, TensorPlan] => [
          t,
          options.fixed?.get(t) ?? calibrator.threshold(method, t, wide.has(t) ? "int16" : "int8"),
        ]),
      );
      const plan: Plan = {
        march: options.march.name,
        nodes,
        tensors: bounded(layout, tensors),
        weights: new Map(),
      };
      const quantized = quantize(graph, plan, {
        ...(options.integerInputs === undefined ? {} : { integerInputs: options.integerInputs }),
      });
      return { plan, quantized };
    };
    const finish = (method: string, b: Built): Conversion => {
      const calibrated = insertCalibration(graph, b.plan, layout);
      options.stage?.("quantize");
      const program = compile(b.quantized.graph, options.march.name);
      options.stage?.("compile");
      return { original, optimized: graph, calibrated, ...b, program, layout, method };
    };
    try {
      let method = calibrator.candidates[0]!;
      if (calibrator.candidates.length > 1 && options.choose !== undefined) {
        const all = calibrator.candidates.map((m): Candidate => {
          const b = build(m);
          return { method: m, ...b, program: compile(b.quantized.graph, options.march.name) };
        });
        method = all[await options.choose(graph, all)]!.method;
      }
      options.stage?.("calibrate");
      return finish(method, build(method));
    } catch (error) {
      if (!(error instanceof Refusal) || refused.has(error.nodeName)) throw error;
      refused.set(error.nodeName, error.why);
      options.log?.(`Layer ${error.nodeName} will be executed on CPU: ${error.why}`);
    }
  }
}

/** Thresholds capped where a function cannot exceed a bound (Sigmoid: 1). */
function bounded(
  layout: QuantLayout,
  tensors: Map<string, TensorPlan>,
): Map<string, TensorPlan> {
  for (const g of layout.groups.values()) {
    const bound = g.def.quant?.outputBound;
    const t = g.outputs[0]!;
    const p = tensors.get(t);
    if (bound === undefined || p === undefined) continue;
    if (p.threshold > bound) tensors.set(t, { ...p, threshold: bound, method: "bound" });
  }
  return tensors;
}
