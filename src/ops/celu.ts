import { floatAttr } from "../ir/graph.ts";
import { everywhere, notIntegrated } from "./rules.ts";
import { unary, type UnaryDef } from "./unary.ts";

/** max(0, x) + min(0, alpha (exp(x / alpha) - 1)). */
export const celu: UnaryDef = unary({
  op: "Celu",
  real: (n) => {
    const alpha = floatAttr(n, "alpha", 1);
    return (x) => Math.max(0, x) + Math.min(0, alpha * Math.expm1(x / alpha));
  },
  place: everywhere(notIntegrated()),
});
