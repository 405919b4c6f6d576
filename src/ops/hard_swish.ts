import { dtypeFloat, onCpu, place } from "./rules.ts";
import { lutOnBayes, unary, type UnaryDef } from "./unary.ts";

/** x clip(x / 6 + 1 / 2, 0, 1). Not in the operator table: on bayes, where its parts HardSigmoid and Mul run. */
export const hardSwish: UnaryDef = unary({
  op: "HardSwish",
  real: () => (x) => x * Math.max(0, Math.min(1, x / 6 + 0.5)),
  place: place(lutOnBayes, onCpu(dtypeFloat)),
});
