import { elementwise } from "./elementwise.ts";
import type { OpDef } from "./op.ts";

/** Bitwise exclusive or (opset 18). */
export const bitwiseXor: OpDef = elementwise({
  op: "BitwiseXor",
  takes: "integer",
  number: () => (a, b) => a ^ b,
  big: () => (a, b) => a ^ b,
});
