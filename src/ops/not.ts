import { everywhere, onCpu } from "./rules.ts";
import { unary, type UnaryDef } from "./unary.ts";

/** Logical negation. */
export const not: UnaryDef = unary({
  op: "Not",
  takes: "any",
  gives: "bool",
  real: () => (x) => x ? 0 : 1,
  place: everywhere(onCpu()),
});
