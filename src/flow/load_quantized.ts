/**
 * Models that come quantized (QDQ or QLinear operators): float again, with their scales kept for
 * `calibration_type: load`.
 *
 * @module
 */

import { BpuError } from "../errors.ts";
import type { CalibrationParameters } from "../formats/config/mod.ts";
import type { Graph } from "../ir/graph.ts";
import { isQuantized, loadScales } from "../quantize/load_scales.ts";
import type { LoadedScales } from "../quantize/load_scales.ts";

/**
 * The float form of a model and the plans that the calibration type takes from it.
 *
 * @throws BpuError("calibration") for `load` on a model without quantization nodes.
 */
export function loadQuantized(
  graph: Graph,
  config: { readonly calibration: Pick<CalibrationParameters, "type"> },
  log: (line: string) => void,
): LoadedScales {
  const load = config.calibration.type === "load";
  if (!isQuantized(graph)) {
    if (!load) return { graph, tensors: new Map(), weights: new Map(), notes: [] };
    throw new BpuError(
      "calibration",
      "calibration_type load needs a quantized model, this one has no quantization nodes",
      {
        key: "calibration_parameters.calibration_type",
        hint: "Use default, kl or max with calibration data.",
      },
    );
  }
  const found = loadScales(graph);
  if (load) {
    log(`Load the scales of ${found.tensors.size} tensors and ${found.weights.size} weights.`);
    for (const line of found.notes) log(line);
    return found;
  }
  log("The model is quantized; its scales are left out (calibration_type load would take them).");
  return { graph: found.graph, tensors: new Map(), weights: new Map(), notes: [] };
}
