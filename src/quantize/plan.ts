/**
 * The decisions between calibration and quantization, as a value: where every node runs and how every
 * tensor is represented.
 *
 * @module
 */

import { BpuError } from "../errors.ts";
import type { MarchName } from "../march/march.ts";
import { numbersOf, type Tensor } from "../ir/tensor.ts";
import { asymmetricScale, scaleOf, zeroOf } from "../ops/arithmetic.ts";
import type { QType, Range } from "../ops/arithmetic.ts";

/** Where a node runs and why. */
export interface Placement {
  readonly on: "BPU" | "CPU";
  /** Why it is not on the BPU, in the user's terms. */
  readonly reason?: string;
  /** What would move it. */
  readonly advice?: string;
}

/** Representation of one activation tensor; its scale is that of {@linkcode planScale}. */
export interface TensorPlan {
  readonly dtype: QType;
  /** Largest magnitude that is represented. */
  readonly threshold: number;
  readonly zero: number;
  /** Calibration method that set the threshold (`max`, `kl`, `input`, `bound`, ...). */
  readonly method: string;
  /** Of an asymmetric int8 tensor: what is represented. `zero` follows from it. */
  readonly range?: Range;
}

/** float32 scale of a plan (docs/arithmetic.md section 1). */
export function planScale(p: TensorPlan): number {
  return p.range === undefined || p.dtype !== "int8"
    ? scaleOf(p.threshold, p.dtype)
    : asymmetricScale(p.range);
}

/** An int8 plan for a range, widened to hold 0. A range without extent gives the symmetric plan. */
export function rangePlan(range: Range, method: string): TensorPlan {
  const min = Math.min(0, range.min), max = Math.max(0, range.max);
  const threshold = Math.max(-min, max);
  if (!(threshold > 0)) return { dtype: "int8", threshold: 0, zero: 0, method };
  return {
    dtype: "int8",
    threshold,
    zero: zeroOf({ min, max }),
    method,
    range: { min, max },
  };
}

/** A zero point is worth its cost where the steps become an eighth smaller. */
const WORTH = 7 / 8;

/**
 * The asymmetric form of a symmetric plan: the observed range, cut at the plan's threshold on either
 * side. A plan that is not int8, that is asymmetric already, whose steps would hardly become smaller,
 * or of which nothing was seen, is returned as it is.
 *
 * @example
 * ```ts
 * import { asymmetricPlan } from "./plan.ts";
 * const relu6 = { dtype: "int8", threshold: 6, zero: 0, method: "max" } as const;
 * console.log(asymmetricPlan(relu6, { min: 0, max: 6 }).zero); // -128
 * ```
 */
export function asymmetricPlan(p: TensorPlan, seen: Range | undefined): TensorPlan {
  if (seen === undefined || p.dtype !== "int8" || p.range !== undefined || p.zero !== 0) return p;
  const min = Math.max(Math.min(0, seen.min), -p.threshold);
  const max = Math.min(Math.max(0, seen.max), p.threshold);
  return worthZero(p, rangePlan({ min, max }, p.method));
}

/** The asymmetric plan where its steps are clearly smaller than those of the symmetric one. */
export function worthZero(symmetric: TensorPlan, asymmetric: TensorPlan): TensorPlan {
  return planScale(asymmetric) <= planScale(symmetric) * WORTH ? asymmetric : symmetric;
}

/** A plan that represents nothing beyond a bound on the magnitude. */
export function boundedPlan(p: TensorPlan, bound: number): TensorPlan {
  if (p.threshold <= bound) return p;
  if (p.range === undefined) return { ...p, threshold: bound, method: "bound" };
  const { min, max } = p.range;
  return rangePlan({ min: Math.max(min, -bound), max: Math.min(max, bound) }, "bound");
}

/** A plan of the same type that represents every element of a constant table. */
export function tablePlan(p: TensorPlan, table: Tensor): TensorPlan {
  let largest = 0;
  for (const v of numbersOf(table)) largest = Math.max(largest, Math.abs(v));
  return { dtype: p.dtype, threshold: largest, zero: 0, method: "max" };
}

/** Everything that quantization needs beside the float graph. */
export interface Plan {
  readonly march: MarchName;
  /** By node name. */
  readonly nodes: ReadonlyMap<string, Placement>;
  /** By tensor name of the optimized graph. */
  readonly tensors: ReadonlyMap<string, TensorPlan>;
  /** Thresholds per output channel, by weight tensor name. Absent: max abs. */
  readonly weights: ReadonlyMap<string, Float32Array>;
}

/**
 * Plan of a tensor; throws when calibration did not set one. Zero points belong to int8: an int16 plan
 * is symmetric whatever it says.
 */
export function planOf(plan: Plan, tensor: string): TensorPlan {
  const t = plan.tensors.get(tensor);
  if (t === undefined) {
    throw new BpuError("internal", "no threshold was calibrated", { tensor });
  }
  if (t.dtype === "int8" || (t.zero === 0 && t.range === undefined)) return t;
  const { dtype, threshold, method } = t;
  return { dtype, threshold, zero: 0, method };
}

/** Tensors that a plan represents as int16. */
export function int16Tensors(tensors: ReadonlyMap<string, TensorPlan>): Set<string> {
  return new Set([...tensors].filter(([, p]) => p.dtype === "int16").map(([t]) => t));
}
