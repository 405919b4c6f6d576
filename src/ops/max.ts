import { compareRules, elementwise } from "./elementwise.ts";
import type { OpDef } from "./op.ts";
import { broadcastCpu, note, onBpu, onCpu, place } from "./rules.ts";
import { maxQuant } from "./lower/variadic.ts";

/** Largest of any number of tensors. */
export const max: OpDef = elementwise({
  op: "Max",
  quant: maxQuant,
  takes: "number",
  variadic: true,
  number: () => Math.max,
  big: () => (a, b) => a > b ? a : b,
  place: place(
    onBpu("in+out", compareRules, [note("1 or more inputs"), broadcastCpu], "sizes"),
    onCpu(note("1 or more inputs"), broadcastCpu),
  ),
});
