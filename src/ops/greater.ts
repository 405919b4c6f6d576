import { broadcastOnCpu, elementwise, manualCompare } from "./elementwise.ts";
import type { OpDef } from "./op.ts";
import { place } from "./rules.ts";
import { compareQuant } from "./lower/integer_results.ts";

/** a > b. */
export const greater: OpDef = elementwise({
  op: "Greater",
  quant: compareQuant("HzGreater"),
  takes: "number",
  gives: "bool",
  number: () => (a, b) => a > b ? 1 : 0,
  place: place(manualCompare, broadcastOnCpu),
});
