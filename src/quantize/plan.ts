/**
 * The decisions between calibration and quantization, as a value: where every node runs and how every
 * tensor is represented.
 *
 * @module
 */

import { BpuError } from "../errors.ts";
import type { MarchName } from "../march/march.ts";
import type { QType } from "../ops/arithmetic.ts";

/** Where a node runs and why. */
export interface Placement {
  readonly on: "BPU" | "CPU";
  /** Why it is not on the BPU, in the user's terms. */
  readonly reason?: string;
  /** What would move it. */
  readonly advice?: string;
}

/** Representation of one activation tensor. */
export interface TensorPlan {
  readonly dtype: QType;
  readonly threshold: number;
  readonly zero: number;
  /** Calibration method that set the threshold (`max`, `kl`, `input`, `bound`, ...). */
  readonly method: string;
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

/** Plan of a tensor; throws when calibration did not set one. */
export function planOf(plan: Plan, tensor: string): TensorPlan {
  const t = plan.tensors.get(tensor);
  if (t === undefined) {
    throw new BpuError("internal", "no threshold was calibrated", { tensor });
  }
  return t;
}

/** Tensors that a plan represents as int16. */
export function int16Tensors(tensors: ReadonlyMap<string, TensorPlan>): Set<string> {
  return new Set([...tensors].filter(([, p]) => p.dtype === "int16").map(([t]) => t));
}
