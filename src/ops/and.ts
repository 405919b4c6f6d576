import { broadcastOnCpu, elementwise } from "./elementwise.ts";
import type { OpDef } from "./op.ts";
import { everywhere } from "./rules.ts";

/** Logical and. */
export const and: OpDef = elementwise({
  op: "And",
  takes: "bool",
  number: () => (a, b) => a & b,
  place: everywhere(broadcastOnCpu),
});
