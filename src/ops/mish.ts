import { place } from "./rules.ts";
import { softplusOf } from "./special.ts";
import { lutOnBayes, lutOnBernoulli2, unary, type UnaryDef } from "./unary.ts";

/** x tanh(log(1 + exp(x))). Not in the operator table: on bayes and bernoulli2, where its parts Softplus, Tanh and Mul run. */
export const mish: UnaryDef = unary({
  op: "Mish",
  real: () => (x) => x === -Infinity ? -0 : x * Math.tanh(softplusOf(x)),
  place: place(lutOnBayes, lutOnBernoulli2),
});
