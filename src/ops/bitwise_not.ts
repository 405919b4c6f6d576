import type { OpDef } from "./op.ts";
import { unary } from "./unary.ts";

/** Bitwise complement (opset 18). */
export const bitwiseNot: OpDef = unary({
  op: "BitwiseNot",
  takes: "number",
  real: () => (x) => ~x,
  big: () => (x) => ~x,
});
