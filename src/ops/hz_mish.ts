import { fn } from "../ir/function.ts";
import { HORIZON } from "../ir/graph.ts";
import { place } from "./rules.ts";
import { softplusOf } from "./special.ts";
import { lutOnBayes, lutOnBernoulli2, unary, type UnaryDef } from "./unary.ts";

/** x tanh(softplus(x)), made by a pass from its chain; placed where the parts run. */
export const hzMish: UnaryDef = unary({
  op: "HzMish",
  domain: HORIZON,
  real: () => (x) => x === -Infinity ? -0 : x * Math.tanh(softplusOf(x)),
  place: place(lutOnBayes, lutOnBernoulli2),
  body: fn("HzMish", ["x"], ["y"], [], "s=Softplus(x); t=Tanh(s); y=Mul(x, t)"),
});
