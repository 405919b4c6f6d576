/**
 * A recipe is everything that a search may decide; the workshop turns recipes into programs.
 *
 * @module
 */

import { withBiases } from "../../calibrate/bias_correction.ts";
import type { TensorStats } from "../../calibrate/stats.ts";
import { compile } from "../../compile/compile.ts";
import type { Program } from "../../compile/program.ts";
import type { Graph } from "../../ir/graph.ts";
import type { March } from "../../march/march.ts";
import { insertCalibration } from "../../quantize/calibrated.ts";
import { layoutOf } from "../../quantize/layout.ts";
import type { QuantLayout } from "../../quantize/layout.ts";
import type { Placement, Plan, TensorPlan } from "../../quantize/plan.ts";
import { quantize } from "../../quantize/quantize.ts";
import type { Quantized } from "../../quantize/quantize.ts";
import type { Calibrator } from "../calibrator.ts";

/** How biases are corrected. */
export type BiasMode = "off" | "weights" | "full";

/** A way to quantize a graph. */
export interface Recipe {
  /** Threshold method of all tensors that `methods` does not name. */
  readonly method: string;
  /** Other methods for single tensors (roots). */
  readonly methods?: ReadonlyMap<string, string>;
  /** Tensors (roots) that are int16. */
  readonly int16?: ReadonlySet<string>;
  readonly bias?: { readonly mode: BiasMode; readonly deltas: ReadonlyMap<string, Float32Array> };
}

/** A recipe carried out, up to the program. */
export interface Built {
  readonly recipe: Recipe;
  /** Float graph with the corrected biases. */
  readonly graph: Graph;
  readonly layout: QuantLayout;
  readonly plan: Plan;
  readonly quantized: Quantized;
}

/** What recipes are carried out on. */
export interface WorkshopParts {
  readonly graph: Graph;
  readonly march: March;
  readonly nodes: ReadonlyMap<string, Placement>;
  readonly calibrator: Calibrator;
  readonly fixed?: ReadonlyMap<string, TensorPlan>;
  /** Weight thresholds per output channel that are known beforehand. */
  readonly weights?: ReadonlyMap<string, Float32Array>;
  readonly integerInputs?: ReadonlySet<string>;
}

/** Carries out recipes on one placed graph. */
export interface Workshop extends WorkshopParts {
  /** Layout with nothing at int16. */
  readonly layout: QuantLayout;
  layoutFor(int16: ReadonlySet<string>): QuantLayout;
  /** Throws Refusal when a node's numbers do not fit. */
  build(recipe: Recipe): Built;
  /** The graph with fake quantization by a recipe. */
  fake(recipe: Recipe): Graph;
  program(built: Built): Program;
  stats(tensor: string): TensorStats | undefined;
}

/** Opens a workshop. The calibrator must have observed every tensor that needs a threshold. */
export function openWorkshop(p: WorkshopParts): Workshop {
  const layouts = new Map<string, QuantLayout>();
  const layoutFor = (int16: ReadonlySet<string>): QuantLayout => {
    const key = JSON.stringify([...int16].sort());
    let layout = layouts.get(key);
    if (layout === undefined) {
      layout = layoutOf(p.graph, p.nodes, p.march, int16);
      layouts.set(key, layout);
    }
    return layout;
  };
  const searched = p.calibrator.candidates.length > 1;
  const ends = searched ? endsOf(p.graph, layoutFor(new Set())) : new Set<string>();
  const planned = (recipe: Recipe) => {
    const int16 = recipe.int16 ?? new Set<string>();
    const layout = layoutFor(int16);
    const tensors = new Map([...layout.needed].map((t): [string, TensorPlan] => {
      const fixed = p.fixed?.get(t);
      if (fixed !== undefined) return [t, fixed];
      const wide = int16.has(t);
      const method = ends.has(t) ? "max" : recipe.methods?.get(t) ?? recipe.method;
      return [t, p.calibrator.threshold(method, t, wide ? "int16" : "int8")];
    }));
    const graph = recipe.bias === undefined ? p.graph : withBiases(p.graph, recipe.bias.deltas);
    const plan: Plan = {
      march: p.march.name,
      nodes: p.nodes,
      tensors: bounded(layout, tensors),
      weights: p.weights ?? new Map(),
    };
    return { recipe, graph, layout, plan };
  };
  return {
    ...p,
    layout: layoutFor(new Set()),
    layoutFor,
    build(recipe) {
      const made = planned(recipe);
      const quantized = quantize(made.graph, made.plan, {
        ...(p.integerInputs === undefined ? {} : { integerInputs: p.integerInputs }),
      });
      return { ...made, quantized };
    },
    fake(recipe) {
      const { graph, plan, layout } = planned(recipe);
      return insertCalibration(graph, plan, layout);
    },
    program: (b) => compile(b.quantized.graph, p.march.name),
    stats: (t) => p.calibrator.stats?.(t),
  };
}

/**
 * Tensors (roots) that leave the integer part: outputs of the graph, and what only float operators
 * read. The largest values of these decide (logits, scores); a search must not clip them, or they tie.
 */
function endsOf(graph: Graph, layout: QuantLayout): Set<string> {
  const read = new Set([...layout.groups.values()].flatMap((g) => g.inputs));
  const ends = new Set(graph.outputs.map((o) => layout.root(o.name)));
  for (const g of layout.groups.values()) {
    for (const t of g.outputs) if (!read.has(t)) ends.add(layout.root(t));
  }
  return ends;
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
