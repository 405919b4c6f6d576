import { dtypeFloat, everywhere, onCpu } from "./rules.ts";
import { unary, type UnaryDef } from "./unary.ts";

/** Inverse hyperbolic sine. */
export const asinh: UnaryDef = unary({
  op: "Asinh",
  real: () => Math.asinh,
  place: everywhere(onCpu(dtypeFloat)),
});
