/**
 * Placement wishes of a configuration.
 *
 * @module
 */

import type { Config } from "../formats/config/mod.ts";
import type { PlaceOptions } from "../quantize/place.ts";

/** `node_info` (with `run_on_cpu` and `run_on_bpu` merged into it) and fast-perf as place options. */
export function placeOptions(config: Config, allOnBpu: boolean): PlaceOptions {
  const wish = (on: "CPU" | "BPU") =>
    new Set(config.model.nodeInfo.filter((n) => n.on === on).map((n) => n.name));
  return {
    cpu: wish("CPU"),
    bpu: wish("BPU"),
    quantizeTail: allOnBpu || config.calibration.optimization.includes("set_model_output_int8"),
  };
}
