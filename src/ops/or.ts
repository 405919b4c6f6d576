import { broadcastOnCpu, elementwise } from "./elementwise.ts";
import type { OpDef } from "./op.ts";
import { everywhere } from "./rules.ts";

/** Logical or. */
export const or: OpDef = elementwise({
  op: "Or",
  takes: "bool",
  number: () => (a, b) => a | b,
  place: everywhere(broadcastOnCpu),
});
