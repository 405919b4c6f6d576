import { everywhere, notIntegrated } from "./rules.ts";
import { unary, type UnaryDef } from "./unary.ts";

/** Whether an element is not a number. */
export const isNan: UnaryDef = unary({
  op: "IsNaN",
  gives: "bool",
  real: () => (x) => Number.isNaN(x) ? 1 : 0,
  place: everywhere(notIntegrated()),
});
