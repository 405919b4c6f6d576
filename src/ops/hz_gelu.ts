import { fn } from "../ir/function.ts";
import { HORIZON } from "../ir/graph.ts";
import { dtypeFloat, onCpu, place } from "./rules.ts";
import { geluOf } from "./special.ts";
import { lutOnBayes, unary, type UnaryDef } from "./unary.ts";

/** Gelu in its exact form, made by a pass from its Erf chain. */
export const hzGelu: UnaryDef = unary({
  op: "HzGelu",
  domain: HORIZON,
  real: () => geluOf,
  place: place(lutOnBayes, onCpu(dtypeFloat)),
  body: fn(
    "HzGelu",
    ["x"],
    ["y"],
    [],
    "q=Div(x, f32:1.4142135381698608); e=Erf(q); o=Add(e, f32:1); p=Mul(x, o); y=Mul(p, f32:0.5)",
  ),
});
