/**
 * A recipe is everything that a search may decide; the workshop turns recipes into programs.
 *
 * @module
 */

import { withBiases } from "../../calibrate/bias_correction.ts";
import type { TensorStats } from "../../calibrate/stats.ts";
import { fakeQuantizeWeights } from "../../calibrate/weights.ts";
import { compile } from "../../compile/compile.ts";
import type { Program } from "../../compile/program.ts";
import { BpuError } from "../../errors.ts";
import type { Graph } from "../../ir/graph.ts";
import type { Tensor } from "../../ir/tensor.ts";
import type { March } from "../../march/march.ts";
import { insertCalibration } from "../../quantize/calibrated.ts";
import { layoutOf } from "../../quantize/layout.ts";
import type { QuantLayout } from "../../quantize/layout.ts";
import { boundedPlan, tablePlan } from "../../quantize/plan.ts";
import type { Placement, Plan, TensorPlan } from "../../quantize/plan.ts";
import { quantize } from "../../quantize/quantize.ts";
import type { Quantized } from "../../quantize/quantize.ts";
import type { Calibrator } from "../calibrator.ts";

/** How biases are corrected. */
export type BiasMode = "off" | "weights" | "full";

/** Forms of a float graph that compute the same and quantize differently; see `forms.ts`. */
export type FormName = "plain" | "per_channel" | "equalized" | "smooth";

/** A form with the thresholds that belong to it. */
export interface Form {
  readonly graph: Graph;
  readonly calibrator: Calibrator;
}

/** Weights whose rounding was chosen (`rounding.ts`). */
export interface Rounding {
  /** Weight tensor -> multiples of its steps. */
  readonly weights: ReadonlyMap<string, Tensor>;
  /** Thresholds that belong to them. */
  readonly thresholds: ReadonlyMap<string, Float32Array>;
}

/** A way to quantize a graph. */
export interface Recipe {
  /** Form of the graph; absent: plain. */
  readonly form?: FormName;
  /** Threshold method of all tensors that `methods` does not name. */
  readonly method: string;
  /** Other methods for single tensors (roots). */
  readonly methods?: ReadonlyMap<string, string>;
  /** Tensors (roots) that are int16. */
  readonly int16?: ReadonlySet<string>;
  /** Whether int8 tensors may have a zero point; see `asymmetric.ts`. */
  readonly asymmetric?: boolean;
  readonly rounding?: Rounding;
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
  /** Forms that recipes may name. The plain one is always there. */
  readonly forms: Map<FormName, Form>;
  formOf(recipe: Pick<Recipe, "form">): Form;
  layoutFor(int16: ReadonlySet<string>): QuantLayout;
  /** Throws Refusal when a node's numbers do not fit. */
  build(recipe: Recipe): Built;
  /** The graph with fake quantization by a recipe. */
  fake(recipe: Recipe): Graph;
  /** The float graph of a recipe's form, and with its weights as their integers represent them. */
  weightsOnly(recipe: Recipe): Graph;
  program(built: Built): Program;
  stats(tensor: string): TensorStats | undefined;
}

/**
 * Thresholds of int16 tensors are the largest magnitude seen times this: what other samples exceed it by
 * costs more than half of 65536 steps.
 */
export const HEADROOM = 2;

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
  const plainLayout = layoutFor(new Set());
  const searched = p.calibrator.candidates.length > 1;
  const ends = searched ? endsOf(p.graph, plainLayout) : new Set<string>();
  const forms = new Map<FormName, Form>([["plain", { graph: p.graph, calibrator: p.calibrator }]]);
  const formOf = (recipe: Pick<Recipe, "form">): Form => {
    const form = forms.get(recipe.form ?? "plain");
    if (form === undefined) throw new BpuError("internal", `there is no form ${recipe.form}`);
    return form;
  };
  /** The form's graph with what the recipe changes in its constants. */
  const graphOf = (recipe: Recipe): Graph => {
    let { graph } = formOf(recipe);
    if (recipe.rounding !== undefined) {
      graph = { ...graph, constants: new Map([...graph.constants, ...recipe.rounding.weights]) };
    }
    return recipe.bias === undefined ? graph : withBiases(graph, recipe.bias.deltas);
  };
  const weightsOf = (recipe: Recipe) =>
    new Map([...p.weights ?? [], ...recipe.rounding?.thresholds ?? []]);
  const planned = (recipe: Recipe) => {
    const int16 = recipe.int16 ?? new Set<string>();
    const layout = layoutFor(int16);
    const { calibrator } = formOf(recipe);
    const tensors = new Map([...layout.needed].map((t): [string, TensorPlan] => {
      const fixed = p.fixed?.get(t);
      if (fixed !== undefined) return [t, fixed];
      const wide = int16.has(t);
      const method = ends.has(t) ? "max" : recipe.methods?.get(t) ?? recipe.method;
      const plan = calibrator.threshold(method, t, wide ? "int16" : "int8", recipe.asymmetric);
      return [t, wide ? { ...plan, threshold: plan.threshold * HEADROOM } : plan];
    }));
    const plan: Plan = {
      march: p.march.name,
      nodes: p.nodes,
      tensors: bounded(p.graph, layout, tensors, p.fixed),
      weights: weightsOf(recipe),
    };
    return { recipe, graph: graphOf(recipe), layout, plan };
  };
  return {
    ...p,
    layout: plainLayout,
    forms,
    formOf,
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
    weightsOnly(recipe) {
      const graph = graphOf(recipe), thresholds = weightsOf(recipe);
      const constants = new Map(graph.constants);
      for (const g of plainLayout.groups.values()) {
        for (const { input, axis } of g.def.quant?.weights ?? []) {
          const name = g.node.inputs[input] ?? "";
          const k = graph.constants.get(name);
          if (k !== undefined) {
            constants.set(name, fakeQuantizeWeights(k, axis, thresholds.get(name)));
          }
        }
      }
      return { ...graph, constants };
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

/**
 * Thresholds that follow from the operator: capped where a function cannot exceed a bound (Sigmoid: 1),
 * and the largest magnitude of a constant table for what is looked up in it, since samples need not read
 * every row.
 */
function bounded(
  graph: Graph,
  layout: QuantLayout,
  tensors: Map<string, TensorPlan>,
  fixed: ReadonlyMap<string, TensorPlan> = new Map(),
): Map<string, TensorPlan> {
  for (const g of layout.groups.values()) {
    const t = g.outputs[0]!;
    const p = tensors.get(t), spec = g.def.quant!;
    if (p === undefined) continue;
    if (spec.outputBound !== undefined) tensors.set(t, boundedPlan(p, spec.outputBound));
    const table = spec.scale === "input" ? graph.constants.get(g.node.inputs[0]!) : undefined;
    if (table !== undefined && !fixed.has(t)) tensors.set(t, tablePlan(p, table));
  }
  return tensors;
}
