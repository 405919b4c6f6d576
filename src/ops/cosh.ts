import { dtypeFloat, everywhere, onCpu } from "./rules.ts";
import { unary, type UnaryDef } from "./unary.ts";

/** Hyperbolic cosine. */
export const cosh: UnaryDef = unary({
  op: "Cosh",
  real: () => Math.cosh,
  place: everywhere(onCpu(dtypeFloat)),
});
