import { floatAttr } from "../ir/graph.ts";
import { dtypeFloat, everywhere, onCpu } from "./rules.ts";
import { unary, type UnaryDef } from "./unary.ts";

/** x above alpha, else 0. */
export const thresholdedRelu: UnaryDef = unary({
  op: "ThresholdedRelu",
  real: (n) => {
    const alpha = floatAttr(n, "alpha", 1);
    return (x) => x > alpha ? x : 0;
  },
  place: everywhere(onCpu(dtypeFloat)),
});
