import { dtypeFloat, onCpu, place } from "./rules.ts";
import { lutOnBayes, unary, type UnaryDef } from "./unary.ts";

/** Absolute value. */
export const abs: UnaryDef = unary({
  op: "Abs",
  takes: "number",
  big: () => (x) => x < 0n ? -x : x,
  real: () => Math.abs,
  place: place(lutOnBayes, onCpu(dtypeFloat)),
});
