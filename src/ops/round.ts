import { everywhere, onCpu } from "./rules.ts";
import { roundEven } from "./special.ts";
import { unary, type UnaryDef } from "./unary.ts";

/** Rounds to the nearest integer, halves to the even one. */
export const round: UnaryDef = unary({
  op: "Round",
  real: () => roundEven,
  place: everywhere(onCpu()),
});
