import { elementwise } from "./elementwise.ts";
import type { OpDef } from "./op.ts";

/** Bitwise and (opset 18). */
export const bitwiseAnd: OpDef = elementwise({
  op: "BitwiseAnd",
  takes: "integer",
  number: () => (a, b) => a & b,
  big: () => (a, b) => a & b,
});
