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

/** Operators that the optimization options ask onto the BPU. */
export function bpuKinds(config: Config): Set<string> {
  return new Set(
    config.calibration.optimization.flatMap((o) => {
      const match = /^set_([A-Z][A-Za-z0-9]*)_(?:input|output)_int8$/.exec(o);
      return match === null ? [] : [match[1]!];
    }),
  );
}
