import { dtypeIn, everywhere, onCpu } from "./rules.ts";
import { erfOf } from "./special.ts";
import { unary, type UnaryDef } from "./unary.ts";

/** Error function. */
export const erf: UnaryDef = unary({
  op: "Erf",
  bound: 1,
  takes: "number",
  real: () => erfOf,
  place: everywhere(onCpu(dtypeIn(["float", "double"]))),
});
