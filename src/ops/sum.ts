import { arithmeticRules, elementwise } from "./elementwise.ts";
import { addOnBernoulli2 } from "./add.ts";
import type { OpDef } from "./op.ts";
import { both, dtypeFloat, onBpu, place } from "./rules.ts";
import { sumQuant } from "./lower/variadic.ts";

/** Sum of any number of tensors. */
export const sum: OpDef = elementwise({
  op: "Sum",
  quant: sumQuant,
  takes: "number",
  variadic: true,
  number: () => (a, b) => a + b,
  place: place(
    onBpu("unstated", [both("same limits as Add", ...arithmeticRules)], [dtypeFloat], "sizes"),
    onBpu("no", [both("same limits as Add", ...addOnBernoulli2)], [dtypeFloat]),
  ),
});
