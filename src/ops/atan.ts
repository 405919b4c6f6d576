import { dtypeFloat, onCpu, place } from "./rules.ts";
import { lutOnBayes, unary, type UnaryDef } from "./unary.ts";

/** Inverse tangent. */
export const atan: UnaryDef = unary({
  op: "Atan",
  real: () => Math.atan,
  place: place(lutOnBayes, onCpu(dtypeFloat)),
});
