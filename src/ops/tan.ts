import { dtypeFloat, everywhere, onCpu } from "./rules.ts";
import { unary, type UnaryDef } from "./unary.ts";

/** Tangent. */
export const tan: UnaryDef = unary({
  op: "Tan",
  real: () => Math.tan,
  place: everywhere(onCpu(dtypeFloat)),
});
