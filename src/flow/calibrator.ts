/**
 * Thresholds by the methods that a configuration names.
 *
 * @module
 */

import { klThreshold } from "../calibrate/methods/kl.ts";
import { shareOfRange } from "../calibrate/magnitudes.ts";
import { maxThreshold } from "../calibrate/methods/max.ts";
import { mseRange, mseThreshold, mseThroughFunction } from "../calibrate/methods/mse.ts";
import { octavThreshold } from "../calibrate/methods/octav.ts";
import { percentileThreshold } from "../calibrate/methods/percentile.ts";
import { observe } from "../calibrate/observe.ts";
import type { CalibrationEngine, SampleSource } from "../calibrate/observe.ts";
import type { TensorStats } from "../calibrate/stats.ts";
import { BpuError } from "../errors.ts";
import type { CalibrationParameters } from "../formats/config/mod.ts";
import type { Graph } from "../ir/graph.ts";
import { consumers } from "../ir/graph.ts";
import type { QType, Range } from "../ops/arithmetic.ts";
import { opOf } from "../ops/registry.ts";
import type { UnaryDef } from "../ops/unary.ts";
import { visitAll } from "../run/float_kernels/choose.ts";
import { asymmetricPlan, rangePlan, worthZero } from "../quantize/plan.ts";
import type { TensorPlan } from "../quantize/plan.ts";

/** Where thresholds come from. */
export interface Calibrator {
  /** Names of the threshold methods that may be chosen from; at least one. */
  readonly candidates: readonly string[];
  /** Gathers statistics of tensors of the optimized graph; called again when more are needed. */
  observe(graph: Graph, tensors: readonly string[]): Promise<void>;
  /**
   * Plan of an observed tensor by one of the methods, for int8 or int16. With `zeros` an int8 plan has a
   * zero point, where that makes its steps clearly finer.
   */
  threshold(candidate: string, tensor: string, dtype: QType, zeros?: boolean): TensorPlan;
  /** What was observed of a tensor. */
  stats?(tensor: string): TensorStats | undefined;
  /** Tensors that only a function of one input reads: `throughFunction` knows what it flattens. */
  functionInputs?(): ReadonlySet<string>;
}

/** Method for the tensors of {@linkcode Calibrator.functionInputs}: MSE behind the function. */
export const throughFunction = "mse-through-function";

const SHARE = "max-share:share=";

/** Method whose threshold is a part of the largest magnitude. */
export const shareOfMax = (share: number): string => `${SHARE}${share}`;

/** A threshold method by the name that logs and reports use. */
interface Method {
  threshold(s: TensorStats): number;
  /** For steps with a zero point: a threshold that cuts both ends of the observed range, or a range. */
  withZero?(s: TensorStats): number | Range;
}

const percentile = (q: number): [string, Method] => [
  `max-percentile:percentile=${q}`,
  { threshold: (s) => percentileThreshold(s, q) },
];
const max: [string, Method] = ["max", { threshold: maxThreshold }];
const kl: [string, Method] = ["kl", {
  threshold: (s) => klThreshold(s).threshold,
  withZero: (s) =>
    klThreshold(s, { levels: Math.round(128 / shareOfRange(s, s.absmax)) }).threshold,
}];
const mse: [string, Method] = ["mse", {
  threshold: (s) => mseThreshold(s).threshold,
  withZero: (s) => mseThreshold(s, { zeros: true }).threshold,
}];
const mseThrough = (f?: (x: number) => number): Method => ({
  threshold: (s) => (f === undefined ? mseThreshold(s) : mseThroughFunction(s, f)).threshold,
  withZero: (s) => mseRange(s, f).range,
});
const octav: [string, Method] = ["octav", {
  threshold: (s) => octavThreshold(s),
  withZero: (s) => octavThreshold(s, { zeros: true }),
}];

/** Methods that a calibration type tries, in the order in which ties are decided. */
export function methodsOf(
  p: Pick<CalibrationParameters, "type" | "maxPercentile">,
): Map<string, Method> {
  switch (p.type) {
    case "max":
      return new Map([p.maxPercentile === 1 ? max : percentile(p.maxPercentile)]);
    case "skip":
    case "load": // The scales are in the model; what it does not cover gets the maximum of random data.
      return new Map([max]);
    case "kl":
      return new Map([kl]);
    case "default":
    case "mix":
      return new Map([max, percentile(0.99999), percentile(0.9999), kl, mse, octav]);
  }
}

/**
 * The engine, and for the graphs that they cover the float kernels, which show tensors without copies.
 * What does not fit into their memory is left to the engine.
 */
function visiting(engine: CalibrationEngine): CalibrationEngine {
  return {
    async visit(graph, fetch, samples, visitor, o) {
      let shown = false;
      try {
        return await visitAll(graph, fetch, samples, (...tensor) => {
          shown = true;
          visitor(...tensor);
        }, { ...o, whereverCovered: true });
      } catch (error) {
        if (!shown && error instanceof BpuError && error.code === "limit") return undefined;
        throw error;
      }
    },
    ...engine,
  };
}

/** A calibrator over samples. */
export function createCalibrator(
  p:
    & Pick<CalibrationParameters, "type" | "maxPercentile">
    & Partial<Pick<CalibrationParameters, "optimization">>,
  engine: CalibrationEngine,
  samples: SampleSource,
  onSample?: (done: number) => void,
): Calibrator {
  const methods = methodsOf(p);
  // `default` decides on it by itself.
  const asymmetric = p.type !== "default" && p.optimization?.includes("asymmetric") === true;
  const stats = new Map<string, TensorStats>();
  const functions = new Map<string, (x: number) => number>();
  const known = new Map<string, TensorPlan>();
  /** Nothing needs a histogram. */
  const rangesOnly = methods.size === 1 && methods.has("max");
  const methodFor = (name: string, tensor: string): Method => {
    if (name === "max" || rangesOnly) return max[1];
    if (name.startsWith(SHARE)) {
      const share = Number(name.slice(SHARE.length));
      return { threshold: (s) => share * s.absmax };
    }
    return name === throughFunction ? mseThrough(functions.get(tensor)) : methods.get(name)!;
  };
  const planFor = (name: string, s: TensorStats, dtype: QType, zeros: boolean): TensorPlan => {
    const key = JSON.stringify([dtype, name, s.name, zeros]);
    let plan = known.get(key);
    if (plan === undefined) known.set(key, plan = newPlan(name, s, dtype, zeros));
    return plan;
  };
  const newPlan = (name: string, s: TensorStats, dtype: QType, zeros: boolean): TensorPlan => {
    const method = methodFor(name, s.name);
    const plan = (threshold: number) => ({ dtype, threshold, zero: 0, method: name });
    if (!zeros) return plan(method.threshold(s));
    const symmetric = planFor(name, s, dtype, false);
    // A tensor of both signs alike has nothing to gain.
    if (dtype !== "int8" || !(shareOfRange(s, s.absmax) < 1)) return symmetric;
    const found = method.withZero?.(s) ?? symmetric.threshold;
    if (typeof found !== "number") return worthZero(symmetric, rangePlan(found, name));
    const asymmetric = asymmetricPlan(plan(found), s);
    return asymmetric.range === undefined ? symmetric : asymmetric;
  };
  return {
    candidates: [...methods.keys()],
    stats: (t) => stats.get(t),
    functionInputs: () => new Set(functions.keys()),
    async observe(graph, tensors) {
      known.clear();
      for (const [t, f] of functionsRead(graph)) functions.set(t, f);
      const found = await observe(graph, tensors, samples, visiting(engine), {
        ...(rangesOnly ? { bins: 0 } : {}),
        ...(onSample === undefined ? {} : { onSample: (done) => onSample(done) }),
      });
      for (const [name, s] of found) stats.set(name, s);
    },
    threshold(candidate, tensor, dtype, zeros = asymmetric): TensorPlan {
      const s = stats.get(tensor);
      if (s === undefined) throw new BpuError("internal", "a tensor was not observed", { tensor });
      if (s.nonFinite > 0) {
        throw new BpuError("numeric", "the float model gives NaN or infinite values", {
          tensor,
          hint: "Check the calibration data and norm_type, mean_value and scale_value.",
        });
      }
      // 16 bits need no clipping: the maximum keeps outliers and still has fine steps.
      const method = dtype === "int16" ? "max" : candidate;
      return planFor(method, s, dtype, zeros);
    },
  };
}

/** Tensors whose only reader is a function of one input that becomes a table. */
function functionsRead(graph: Graph): Map<string, (x: number) => number> {
  const found = new Map<string, (x: number) => number>();
  const outputs = new Set(graph.outputs.map((o) => o.name));
  for (const [t, readers] of consumers(graph)) {
    const n = readers[0];
    const def = n === undefined ? undefined : opOf(n);
    if (readers.length !== 1 || n === undefined || def === undefined || outputs.has(t)) continue;
    if (!("real" in def) || def.quant === undefined || def.quant.clamp !== undefined) continue;
    const constant = (i: number) => graph.constants.get(n.inputs[i] ?? "");
    found.set(t, (def as UnaryDef).real(n, constant));
  }
  return found;
}
