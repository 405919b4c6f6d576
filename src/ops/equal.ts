import { broadcastOnCpu, elementwise, manualCompare } from "./elementwise.ts";
import type { OpDef } from "./op.ts";
import { place } from "./rules.ts";
import { compareQuant } from "./lower/integer_results.ts";

/** Whether elements are equal. */
export const equal: OpDef = elementwise({
  op: "Equal",
  quant: compareQuant("HzEqual"),
  takes: "any",
  gives: "bool",
  number: () => (a, b) => a === b ? 1 : 0,
  text: (a, b) => a === b ? 1 : 0,
  place: place(manualCompare, broadcastOnCpu),
});
