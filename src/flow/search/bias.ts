/**
 * Bias correction of a recipe.
 *
 * @module
 */

import { biasCorrection } from "../../calibrate/bias_correction.ts";
import type { BiasTarget } from "../../calibrate/bias_correction.ts";
import type { CalibrationEngine, Samples } from "../../calibrate/observe.ts";
import { fakeQuantizeWeights } from "../../calibrate/weights.ts";
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

/** The float graph with the weights of BPU nodes as their integers represent them. */
function weightsOnly(w: Workshop): Graph {
  const constants = new Map(w.graph.constants);
  for (const g of w.layout.groups.values()) {
    for (const { input, axis } of g.def.quant?.weights ?? []) {
      const name = g.node.inputs[input] ?? "";
      const k = w.graph.constants.get(name);
      if (k !== undefined) constants.set(name, fakeQuantizeWeights(k, axis));
    }
  }
  return { ...w.graph, constants };
}

/** The recipe with corrections for it. */
export async function corrected(
  w: Workshop,
  recipe: Recipe,
  mode: BiasMode,
  samples: Samples,
  engine: CalibrationEngine,
): Promise<Recipe> {
  const { bias: _, ...plain } = recipe;
  if (mode === "off") return plain;
  const targets = biasTargets(w);
  if (targets.length === 0) return plain;
  const fake = mode === "weights" ? weightsOnly(w) : w.fake(plain);
  const deltas = await biasCorrection(w.graph, fake, targets, samples, engine, { samples: 32 });
  return { ...plain, bias: { mode, deltas } };
}
