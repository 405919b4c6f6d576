import { elementwise } from "./elementwise.ts";
import type { OpDef } from "./op.ts";
import { everywhere, notIntegrated } from "./rules.ts";

/** Mean of any number of tensors. */
export const mean: OpDef = elementwise({
  op: "Mean",
  takes: "number",
  variadic: true,
  number: () => (a, b) => a + b,
  finish: (v, count) => v / count,
  place: everywhere(notIntegrated()),
});
