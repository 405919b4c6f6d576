import { fn } from "../ir/function.ts";
import { HORIZON } from "../ir/graph.ts";
import { place } from "./rules.ts";
import { logistic } from "./special.ts";
import { lutOnBayes, lutOnBernoulli2, unary, type UnaryDef } from "./unary.ts";

/** x sigmoid(x), made by a pass from Sigmoid and Mul; placed where both run. */
export const hzSwish: UnaryDef = unary({
  op: "HzSwish",
  domain: HORIZON,
  real: () => (x) => x === -Infinity ? -0 : x * logistic(x),
  place: place(lutOnBayes, lutOnBernoulli2),
  body: fn("HzSwish", ["x"], ["y"], [], "s=Sigmoid(x); y=Mul(x, s)"),
});
