import { place } from "./rules.ts";
import { lutOnBayes, lutOnBernoulli2, unary, type UnaryDef } from "./unary.ts";

/** Sine. */
export const sin: UnaryDef = unary({
  op: "Sin",
  bound: 1,
  real: () => Math.sin,
  place: place(lutOnBayes, lutOnBernoulli2),
});
