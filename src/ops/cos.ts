import { place } from "./rules.ts";
import { lutOnBayes, lutOnBernoulli2, unary, type UnaryDef } from "./unary.ts";

/** Cosine. */
export const cos: UnaryDef = unary({
  op: "Cos",
  bound: 1,
  real: () => Math.cos,
  place: place(lutOnBayes, lutOnBernoulli2),
});
