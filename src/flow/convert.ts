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
import type { Placement, Plan, TensorPlan } from "../quantize/plan.ts";
import { quantize } from "../quantize/quantize.ts";
import type { Quantized } from "../quantize/quantize.ts";

/** Finds thresholds for tensors of the optimized graph. */
export type Calibrate = (
  graph: Graph,
  tensors: readonly string[],
) => Promise<ReadonlyMap<string, TensorPlan>>;

/** Progress of a conversion. */
export interface ConvertHooks {
  /** One line for the log. */
  log?(line: string): void;
  /** Called when a stage ends; the caller keeps the time. */
  stage?(name: "optimize" | "calibrate" | "quantize" | "compile"): void;
}

/** What {@linkcode convert} needs. */
export interface ConvertOptions extends ConvertHooks {
  readonly march: March;
  readonly place?: PlaceOptions;
  /** Thresholds that are known beforehand (inputs of pictures). */
  readonly fixed?: ReadonlyMap<string, TensorPlan>;
  /** Graph inputs that arrive as int8. */
  readonly integerInputs?: ReadonlySet<string>;
  readonly calibrate: Calibrate;
  /** Evaluates constant nodes that have no fold of their own. */
  readonly engine?: Engine;
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
}

/** Placement with what lowering limits force: the BPU has no more than `maxOutputs`, and so on. */
export interface Placed {
  readonly optimized: Graph;
  readonly placement: ReadonlyMap<string, Placement>;
  readonly layout: QuantLayout;
}

/** Runs the float passes on a graph with static shapes. */
export async function prepare(original: Graph, options: ConvertOptions): Promise<Graph> {
  const { graph } = await optimize(inferTypes(original), {
    ...(options.engine === undefined ? {} : { engine: options.engine }),
    ...(options.log === undefined ? {} : { log: options.log }),
  });
  return inferTypes(graph);
}

/**
 * Converts a float graph.
 *
 * A node whose numbers do not fit is moved to the CPU with its reason, and the rest is quantized again.
 */
export async function convert(original: Graph, options: ConvertOptions): Promise<Conversion> {
  const optimized = await prepare(original, options);
  options.stage?.("optimize");
  const refused = new Map<string, string>(options.place?.refused);
  const tensors = new Map<string, TensorPlan>(options.fixed);
  for (;;) {
    const nodes = place(optimized, options.march, { ...options.place, refused });
    const layout = layoutOf(optimized, nodes, options.march);
    const missing = [...layout.needed].filter((t) => !tensors.has(t));
    if (missing.length > 0) {
      for (const [t, p] of await options.calibrate(optimized, missing)) tensors.set(t, p);
    }
    const bounded = boundedTensors(layout, tensors);
    const plan: Plan = {
      march: options.march.name,
      nodes,
      tensors: bounded,
      weights: new Map(),
    };
    options.stage?.("calibrate");
    try {
      const quantized = quantize(optimized, plan, {
        ...(options.integerInputs === undefined ? {} : { integerInputs: options.integerInputs }),
      });
      const calibrated = insertCalibration(optimized, plan, layout);
      options.stage?.("quantize");
      const program = compile(quantized.graph, options.march.name);
      options.stage?.("compile");
      return { original, optimized, calibrated, quantized, program, plan, layout };
    } catch (error) {
      if (!(error instanceof Refusal) || refused.has(error.nodeName)) throw error;
      refused.set(error.nodeName, error.why);
      options.log?.(`Layer ${error.nodeName} will be executed on CPU: ${error.why}`);
    }
  }
}

/** Thresholds capped where a function cannot exceed a bound (Sigmoid: 1). */
function boundedTensors(
  layout: QuantLayout,
  tensors: ReadonlyMap<string, TensorPlan>,
): Map<string, TensorPlan> {
  const out = new Map(tensors);
  for (const g of layout.groups.values()) {
    const bound = g.def.quant?.outputBound;
    const t = g.outputs[0]!;
    const p = out.get(t);
    if (bound === undefined || p === undefined || layout.root(t) !== t) continue;
    if (p.threshold > bound) out.set(t, { ...p, threshold: bound, method: "bound" });
  }
  return out;
}
