import { dtypeFloat, onBpu, place } from "./rules.ts";
import { lutOnBayes, unary, type UnaryDef } from "./unary.ts";

/** Exponential. */
export const exp: UnaryDef = unary({
  op: "Exp",
  real: () => Math.exp,
  place: place(lutOnBayes, onBpu("no", [], [dtypeFloat])),
});
