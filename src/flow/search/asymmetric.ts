/**
 * Zero points: a tensor that is mostly of one sign uses its 256 steps for what is there.
 *
 * @module
 */

import type { TensorStats } from "../../calibrate/stats.ts";
import { asymmetricPlan as withZero } from "../../quantize/plan.ts";
import type { TensorPlan } from "../../quantize/plan.ts";

/** Whether every operator can be lowered with zero points; searches leave the dimension out if not. */
export const ASYMMETRIC: boolean = true;

/**
 * The plan with a zero point, where that makes its steps clearly finer. The threshold method still
 * decides what is clipped.
 */
export function asymmetricPlan(plan: TensorPlan, stats: TensorStats | undefined): TensorPlan {
  return stats === undefined ? plan : withZero(plan, stats);
}
