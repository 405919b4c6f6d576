import { place } from "./rules.ts";
import { lutOnBayes, lutOnBernoulli2, unary, type UnaryDef } from "./unary.ts";

/** Hyperbolic tangent. */
export const tanh: UnaryDef = unary({
  op: "Tanh",
  bound: 1,
  real: () => Math.tanh,
  place: place(lutOnBayes, lutOnBernoulli2),
});
