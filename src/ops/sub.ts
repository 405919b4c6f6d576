import { arithmeticRules, broadcastOnCpu, elementwise } from "./elementwise.ts";
import type { OpDef } from "./op.ts";
import { broadcastCpu, onBpu, place } from "./rules.ts";
import { subQuant } from "./lower/elementwise.ts";

/** Difference of two tensors. */
export const sub: OpDef = elementwise({
  op: "Sub",
  quant: subQuant,
  takes: "number",
  number: () => (a, b) => a - b,
  big: () => (a, b) => a - b,
  place: place(onBpu("in+out", arithmeticRules, [broadcastCpu], "sizes"), broadcastOnCpu),
});
