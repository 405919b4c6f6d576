import { intAttr } from "../ir/graph.ts";
import { everywhere, notIntegrated } from "./rules.ts";
import { unary, type UnaryDef } from "./unary.ts";

/** Whether an element is infinite; one sign can be left out. */
export const isInf: UnaryDef = unary({
  op: "IsInf",
  gives: "bool",
  real: (n) => {
    const below = intAttr(n, "detect_negative", 1) !== 0;
    const above = intAttr(n, "detect_positive", 1) !== 0;
    return (x) => (x === Infinity && above) || (x === -Infinity && below) ? 1 : 0;
  },
  place: everywhere(notIntegrated()),
});
