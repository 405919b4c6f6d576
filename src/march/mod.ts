/**
 * The marches by the names that users write.
 *
 * @module
 */

import { BpuError } from "../errors.ts";
import { bayes } from "./bayes.ts";
import { bayesE } from "./bayes_e.ts";
import { bernoulli2 } from "./bernoulli2.ts";
import type { March } from "./march.ts";

export type { March, MarchName } from "./march.ts";

const byName: ReadonlyMap<string, March> = new Map([
  ["bayes", bayes],
  ["bernoulli2", bernoulli2],
  ["bayes_e", bayesE],
  ["bayes-e", bayesE],
]);

/** The march of that name; throws `BpuError("config")` with the known names. */
export function marchOf(name: string): March {
  const m = byName.get(name);
  if (m === undefined) {
    throw new BpuError("config", `march '${name}' is not known`, {
      key: "model_parameters.march",
      hint: "Use one of bayes (J5, RDK Ultra), bernoulli2 (X3, J3) or bayes-e (X5).",
    });
  }
  return m;
}
