import { elementwise } from "./elementwise.ts";
import type { OpDef } from "./op.ts";
import { everywhere, notIntegrated } from "./rules.ts";
import { meanQuant } from "./lower/variadic.ts";

/** Mean of any number of tensors. */
export const mean: OpDef = elementwise({
  op: "Mean",
  quant: meanQuant,
  takes: "number",
  variadic: true,
  number: () => (a, b) => a + b,
  finish: (v, count) => v / count,
  place: everywhere(notIntegrated()),
});
