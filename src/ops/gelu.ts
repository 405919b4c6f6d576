import { stringAttr } from "../ir/graph.ts";
import { dtypeFloat, onCpu, place } from "./rules.ts";
import { geluOf, geluTanh } from "./special.ts";
import { lutOnBayes, unary, type UnaryDef } from "./unary.ts";

/** Gelu (opset 20), exact or with tanh. Not in the operator table: on bayes by table. */
export const gelu: UnaryDef = unary({
  op: "Gelu",
  real: (n) => stringAttr(n, "approximate", "none") === "tanh" ? geluTanh : geluOf,
  place: place(lutOnBayes, onCpu(dtypeFloat)),
});
