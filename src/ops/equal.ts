import { broadcastOnCpu, elementwise, manualCompare } from "./elementwise.ts";
import type { OpDef } from "./op.ts";
import { place } from "./rules.ts";

/** Whether elements are equal. */
export const equal: OpDef = elementwise({
  op: "Equal",
  takes: "any",
  gives: "bool",
  number: () => (a, b) => a === b ? 1 : 0,
  text: (a, b) => a === b ? 1 : 0,
  place: place(manualCompare, broadcastOnCpu),
});
