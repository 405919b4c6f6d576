import { floatAttr } from "../ir/graph.ts";
import { dtypeFloat, onCpu, place } from "./rules.ts";
import { lutOnBayes, unary, type UnaryDef } from "./unary.ts";

/** x, or alpha (exp(x) - 1) below 0. */
export const elu: UnaryDef = unary({
  op: "Elu",
  real: (n) => {
    const alpha = floatAttr(n, "alpha", 1);
    return (x) => x < 0 ? alpha * Math.expm1(x) : x;
  },
  place: place(lutOnBayes, onCpu(dtypeFloat)),
});
