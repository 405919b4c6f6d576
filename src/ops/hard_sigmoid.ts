import { floatAttr } from "../ir/graph.ts";
import { dtypeFloat, onCpu, place } from "./rules.ts";
import { lutOnBayes, unary, type UnaryDef } from "./unary.ts";

/** alpha x + beta, clipped to 0..1. */
export const hardSigmoid: UnaryDef = unary({
  op: "HardSigmoid",
  bound: 1,
  real: (n) => {
    const alpha = floatAttr(n, "alpha", 0.2);
    const beta = floatAttr(n, "beta", 0.5);
    return (x) => Math.max(0, Math.min(1, alpha * x + beta));
  },
  place: place(lutOnBayes, onCpu(dtypeFloat)),
});
