/**
 * Thresholds by the methods that a configuration names.
 *
 * @module
 */

import { klThreshold } from "../calibrate/methods/kl.ts";
import { maxThreshold } from "../calibrate/methods/max.ts";
import { mseThreshold } from "../calibrate/methods/mse.ts";
import { percentileThreshold } from "../calibrate/methods/percentile.ts";
import { observe } from "../calibrate/observe.ts";
import type { CalibrationEngine, SampleSource } from "../calibrate/observe.ts";
import type { TensorStats } from "../calibrate/stats.ts";
import { BpuError } from "../errors.ts";
import type { CalibrationParameters } from "../formats/config/mod.ts";
import type { TensorPlan } from "../quantize/plan.ts";
import type { Calibrator } from "./convert.ts";

/** A threshold method by the name that logs and reports use. */
type Method = (s: TensorStats) => number;

const percentile = (q: number): [string, Method] => [
  `max-percentile:percentile=${q}`,
  (s) => percentileThreshold(s, q),
];
const max: [string, Method] = ["max", maxThreshold];
const kl: [string, Method] = ["kl", (s) => klThreshold(s).threshold];
const mse: [string, Method] = ["mse", (s) => mseThreshold(s).threshold];

/** Methods that a calibration type tries, in the order in which ties are decided. */
export function methodsOf(
  p: Pick<CalibrationParameters, "type" | "maxPercentile">,
): Map<string, Method> {
  switch (p.type) {
    case "max":
      return new Map([p.maxPercentile === 1 ? max : percentile(p.maxPercentile)]);
    case "skip":
      return new Map([max]);
    case "kl":
      return new Map([kl]);
    case "default":
    case "mix":
      return new Map([max, percentile(0.99995), kl, mse]);
    case "load":
      throw new BpuError("unsupported", "calibration_type load needs a model with QAT nodes", {
        key: "calibration_parameters.calibration_type",
        hint: "This model has none that bpukit can read; use default, kl or max.",
      });
  }
}

/** A calibrator over samples. */
export function createCalibrator(
  p: Pick<CalibrationParameters, "type" | "maxPercentile">,
  engine: CalibrationEngine,
  samples: SampleSource,
  onSample?: (done: number) => void,
): Calibrator {
  const methods = methodsOf(p);
  const stats = new Map<string, TensorStats>();
  return {
    candidates: [...methods.keys()],
    async observe(graph, tensors) {
      const found = await observe(graph, tensors, samples, engine, {
        ...(onSample === undefined ? {} : { onSample: (done) => onSample(done) }),
      });
      for (const [name, s] of found) stats.set(name, s);
    },
    threshold(candidate, tensor, dtype): TensorPlan {
      const s = stats.get(tensor);
      if (s === undefined) throw new BpuError("internal", "a tensor was not observed", { tensor });
      if (s.nonFinite > 0) {
        throw new BpuError("numeric", "the float model gives NaN or infinite values", {
          tensor,
          hint: "Check the calibration data and norm_type, mean_value and scale_value.",
        });
      }
      // 16 bits need no clipping: the maximum keeps outliers and still has fine steps.
      const method = dtype === "int16" ? maxThreshold : methods.get(candidate)!;
      return {
        dtype,
        threshold: method(s),
        zero: 0,
        method: dtype === "int16" ? "max" : candidate,
      };
    },
  };
}
