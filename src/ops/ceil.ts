import { dtypeFloat, onCpu, place } from "./rules.ts";
import { lutOnBayes, unary, type UnaryDef } from "./unary.ts";

/** Rounds up. */
export const ceil: UnaryDef = unary({
  op: "Ceil",
  real: () => Math.ceil,
  place: place(lutOnBayes, onCpu(dtypeFloat)),
});
