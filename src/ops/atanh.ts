import { dtypeFloat, everywhere, onCpu } from "./rules.ts";
import { unary, type UnaryDef } from "./unary.ts";

/** Inverse hyperbolic tangent. */
export const atanh: UnaryDef = unary({
  op: "Atanh",
  real: () => Math.atanh,
  place: everywhere(onCpu(dtypeFloat)),
});
