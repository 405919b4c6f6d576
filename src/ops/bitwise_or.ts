import { elementwise } from "./elementwise.ts";
import type { OpDef } from "./op.ts";

/** Bitwise or (opset 18). */
export const bitwiseOr: OpDef = elementwise({
  op: "BitwiseOr",
  takes: "integer",
  number: () => (a, b) => a | b,
  big: () => (a, b) => a | b,
});
