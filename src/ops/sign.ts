import { dtypeFloat, onCpu, place, unrestricted } from "./rules.ts";
import { unary, type UnaryDef } from "./unary.ts";

/** -1, 0 or 1. */
export const sign: UnaryDef = unary({
  op: "Sign",
  takes: "number",
  big: () => (x) => x > 0n ? 1n : x < 0n ? -1n : 0n,
  real: () => Math.sign,
  place: place(onCpu(dtypeFloat), onCpu(unrestricted)),
});
