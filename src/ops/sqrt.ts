import { place } from "./rules.ts";
import { lutOnBayes, lutOnBernoulli2, unary, type UnaryDef } from "./unary.ts";

/** Square root. */
export const sqrt: UnaryDef = unary({
  op: "Sqrt",
  real: () => Math.sqrt,
  place: place(lutOnBayes, lutOnBernoulli2),
});
