import { dtypeFloat, everywhere, onCpu } from "./rules.ts";
import { unary, type UnaryDef } from "./unary.ts";

/** Hyperbolic sine. */
export const sinh: UnaryDef = unary({
  op: "Sinh",
  real: () => Math.sinh,
  place: everywhere(onCpu(dtypeFloat)),
});
