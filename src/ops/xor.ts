import { elementwise } from "./elementwise.ts";
import type { OpDef } from "./op.ts";
import { everywhere, notIntegrated } from "./rules.ts";

/** Logical exclusive or. */
export const xor: OpDef = elementwise({
  op: "Xor",
  takes: "bool",
  number: () => (a, b) => a ^ b,
  place: everywhere(notIntegrated()),
});
