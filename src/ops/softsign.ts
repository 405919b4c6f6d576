import { dtypeFloat, everywhere, onCpu } from "./rules.ts";
import { unary, type UnaryDef } from "./unary.ts";

/** x / (1 + |x|). */
export const softsign: UnaryDef = unary({
  op: "Softsign",
  bound: 1,
  real: () => (x) => x / (1 + Math.abs(x)),
  place: everywhere(onCpu(dtypeFloat)),
});
