import { dtypeFloat, everywhere, onCpu } from "./rules.ts";
import { unary, type UnaryDef } from "./unary.ts";

/** Inverse sine. */
export const asin: UnaryDef = unary({
  op: "Asin",
  real: () => Math.asin,
  place: everywhere(onCpu(dtypeFloat)),
});
