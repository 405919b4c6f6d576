import { fn } from "../ir/function.ts";
import { HORIZON } from "../ir/graph.ts";
import { dtypeFloat, onCpu, place } from "./rules.ts";
import { geluTanh } from "./special.ts";
import { lutOnBayes, unary, type UnaryDef } from "./unary.ts";

/** Gelu in its approximate form, made by a pass from its Tanh chain. */
export const hzGeluTanh: UnaryDef = unary({
  op: "HzGeluTanh",
  domain: HORIZON,
  real: () => geluTanh,
  place: place(lutOnBayes, onCpu(dtypeFloat)),
  body: fn(
    "HzGeluTanh",
    ["x"],
    ["y"],
    [],
    "s=Mul(x, x); c=Mul(s, x); d=Mul(c, f32:0.044714998453855515); a=Add(x, d); " +
      "q=Mul(a, f32:0.7978845834732056); t=Tanh(q); o=Add(t, f32:1); p=Mul(x, o); y=Mul(p, f32:0.5)",
  ),
});
