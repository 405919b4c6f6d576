/**
 * What the calibration keys of a configuration ask of the search.
 *
 * @module
 */

import type { CompleteConfig } from "../formats/config/mod.ts";
import { splitSamples } from "./search/held_back.ts";
import type { Split } from "./search/held_back.ts";
import type { MixedGoal } from "./search/mixed.ts";

type Calibration = Pick<CompleteConfig, "calibration">;

/** Most samples that an explicit `per_channel` is measured on. */
const MEASURED = 8;

/** `per_channel: True` where it is not searched and the scales do not come with the model. */
export function explicitPerChannel({ calibration: c }: Calibration): boolean {
  return c.perChannel && (c.type === "max" || c.type === "kl" || c.type === "skip");
}

/** `accuracy_target` and `latency_budget` with the flags, which win; undefined where nothing is wanted. */
export function goalOf(
  { calibration: c }: Calibration,
  flags: MixedGoal | undefined,
): MixedGoal | undefined {
  const goal: MixedGoal = {
    ...(c.accuracyTarget === undefined ? {} : { accuracy: c.accuracyTarget }),
    ...(c.latencyBudget === undefined ? {} : { latency: c.latencyBudget }),
    ...flags,
  };
  return Object.keys(goal).length === 0 ? undefined : goal;
}

/** Whether samples must be held back for decisions. */
function decides({ calibration: c }: Calibration, goal: MixedGoal | undefined): boolean {
  return c.type === "default" || c.type === "mix" || goal !== undefined ||
    c.optimization.includes("bias_correction") || c.optimization.includes("adaround");
}

/** Whether anything is to be searched or measured. Random data says nothing about `per_channel`. */
export function needsSearch(c: Calibration, goal: MixedGoal | undefined): boolean {
  return decides(c, goal) || explicitPerChannel(c) && c.calibration.type !== "skip";
}

/**
 * Which samples set numbers and which judge. Where nothing is to be decided, all samples set thresholds,
 * as documented, and some of them are measured.
 */
export function splitFor(c: Calibration, goal: MixedGoal | undefined, count: number): Split {
  if (decides(c, goal)) return splitSamples(count);
  const n = Math.min(MEASURED, count);
  return {
    observed: Array.from({ length: count }, (_, i) => i),
    held: Array.from({ length: n }, (_, i) => Math.floor((i + 0.5) * count / n)),
  };
}

/** One sentence for every option that has no effect here. */
export function unusedOptions({ calibration: c }: Calibration): string[] {
  const out: string[] = [];
  if (c.perChannel && c.type === "load") {
    out.push("per_channel: the scales come with the model (calibration_type load) and are kept");
  }
  if (c.optimization.includes("lstm_batch_last")) {
    out.push(
      "optimization lstm_batch_last has no effect: an LSTM on the BPU has batch 1, so that there is no " +
        "batch axis to move; one with a larger batch runs in float on the CPU",
    );
  }
  return out;
}
