import { everywhere, onCpu } from "./rules.ts";
import { unary, type UnaryDef } from "./unary.ts";

/** Sign change. */
export const neg: UnaryDef = unary({
  op: "Neg",
  takes: "number",
  big: () => (x) => -x,
  real: () => (x) => -x,
  place: everywhere(onCpu()),
});
