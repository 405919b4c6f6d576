import { dtypeFloat, everywhere, onCpu } from "./rules.ts";
import { unary, type UnaryDef } from "./unary.ts";

/** Inverse hyperbolic cosine. */
export const acosh: UnaryDef = unary({
  op: "Acosh",
  real: () => Math.acosh,
  place: everywhere(onCpu(dtypeFloat)),
});
