import { floatAttr } from "../ir/graph.ts";
import { dtypeFloat, everywhere, onCpu } from "./rules.ts";
import { unary, type UnaryDef } from "./unary.ts";

/** gamma x, or gamma alpha (exp(x) - 1) below 0. */
export const selu: UnaryDef = unary({
  op: "Selu",
  real: (n) => {
    const alpha = floatAttr(n, "alpha", 1.6732632423543772);
    const gamma = floatAttr(n, "gamma", 1.0507009873554805);
    return (x) => x > 0 ? gamma * x : gamma * alpha * Math.expm1(x);
  },
  place: everywhere(onCpu(dtypeFloat)),
});
