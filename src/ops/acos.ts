import { dtypeFloat, everywhere, onCpu } from "./rules.ts";
import { unary, type UnaryDef } from "./unary.ts";

/** Inverse cosine. */
export const acos: UnaryDef = unary({
  op: "Acos",
  real: () => Math.acos,
  place: everywhere(onCpu(dtypeFloat)),
});
