import { dtypeFloat, onCpu, place } from "./rules.ts";
import { lutOnBayes, unary, type UnaryDef } from "./unary.ts";

/** Natural logarithm. */
export const log: UnaryDef = unary({
  op: "Log",
  real: () => Math.log,
  place: place(lutOnBayes, onCpu(dtypeFloat)),
});
