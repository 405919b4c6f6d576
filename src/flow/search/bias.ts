/**
 * Bias correction of a recipe.
 *
 * @module
 */

import { biasCorrection } from "../../calibrate/bias_correction.ts";
import type { BiasTarget } from "../../calibrate/bias_correction.ts";
import type { CalibrationEngine, Samples } from "../../calibrate/observe.ts";
import type { Graph } from "../../ir/graph.ts";
import type { BiasMode, Recipe, Workshop } from "./recipe.ts";

/** Convolutions on the BPU with constant weights, and a constant bias or none. */
export function biasTargets(w: Workshop): BiasTarget[] {
  const { graph, layout } = w;
  return [...layout.groups.values()].flatMap((g): BiasTarget[] => {
    const n = g.node, weights = graph.constants.get(n.inputs[1] ?? "");
    const bias = n.inputs[2] ?? "";
    const conv = g.def.quant?.heavy === true && g.def.quant.weights?.some((x) => x.input === 1) &&
      weights !== undefined && weights.shape.length >= 3 &&
      (bias === "" || graph.constants.get(bias)?.data instanceof Float32Array);
    return conv ? [{ node: n.name, tensor: n.outputs[0]! }] : [];
  });
}

/** Elements of the inputs that corrections are measured on, in all samples together. */
const ELEMENTS = 4e6;

/**
 * Samples for the means: channels of large pictures have many positions each, so that fewer of them do.
 */
function samplesFor(graph: Graph): number {
  const one = graph.inputs.reduce((n, p) => n + p.shape.reduce((a, b) => a * Math.max(1, b), 1), 0);
  return Math.max(8, Math.min(32, Math.floor(ELEMENTS / Math.max(1, one))));
}

/** The recipe with corrections for it. */
export async function corrected(
  w: Workshop,
  recipe: Recipe,
  mode: BiasMode,
  samples: Samples,
  engine: CalibrationEngine,
  progress?: (done: number, total: number) => void,
): Promise<Recipe> {
  const { bias: _, ...plain } = recipe;
  if (mode === "off") return plain;
  const targets = biasTargets(w);
  if (targets.length === 0) return plain;
  const { graph } = w.formOf(plain);
  const fake = mode === "weights" ? w.weightsOnly(plain) : w.fake(plain);
  const deltas = await biasCorrection(graph, fake, targets, samples, engine, {
    samples: samplesFor(graph),
    ...(progress === undefined ? {} : { onLevel: progress }),
  });
  return { ...plain, bias: { mode, deltas } };
}
