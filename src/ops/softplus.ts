import { place } from "./rules.ts";
import { softplusOf } from "./special.ts";
import { lutOnBayes, lutOnBernoulli2, unary, type UnaryDef } from "./unary.ts";

/** log(1 + exp(x)). */
export const softplus: UnaryDef = unary({
  op: "Softplus",
  real: () => softplusOf,
  place: place(lutOnBayes, lutOnBernoulli2),
});
