import { onBpu, place, pointwiseRules } from "./rules.ts";
import { unary, type UnaryDef } from "./unary.ts";

/** 1 / x. */
export const reciprocal: UnaryDef = unary({
  op: "Reciprocal",
  real: () => (x) => 1 / x,
  place: place(onBpu("in+out", pointwiseRules, []), onBpu("no", [], [])),
});
