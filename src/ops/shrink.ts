import { floatAttr } from "../ir/graph.ts";
import { everywhere, notIntegrated } from "./rules.ts";
import { unary, type UnaryDef } from "./unary.ts";

/** Zero within -lambd..lambd, moved by bias towards it outside. */
export const shrink: UnaryDef = unary({
  op: "Shrink",
  takes: "number",
  real: (n) => {
    const bias = floatAttr(n, "bias", 0);
    const lambd = floatAttr(n, "lambd", 0.5);
    return (x) => x < -lambd ? x + bias : x > lambd ? x - bias : 0;
  },
  place: everywhere(notIntegrated()),
});
