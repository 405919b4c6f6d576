import { dtypeFloat, onCpu, place } from "./rules.ts";
import { lutOnBayes, unary, type UnaryDef } from "./unary.ts";

/** Rounds down. */
export const floor: UnaryDef = unary({
  op: "Floor",
  real: () => Math.floor,
  place: place(lutOnBayes, onCpu(dtypeFloat)),
});
