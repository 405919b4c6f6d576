import { compareRules, elementwise } from "./elementwise.ts";
import type { OpDef } from "./op.ts";
import { broadcastCpu, manualOnly, note, onBpu, onCpu, place } from "./rules.ts";
import { minQuant } from "./lower/variadic.ts";

/** Smallest of any number of tensors. */
export const min: OpDef = elementwise({
  op: "Min",
  quant: minQuant,
  takes: "number",
  variadic: true,
  number: () => Math.min,
  big: () => (a, b) => a < b ? a : b,
  place: place(
    onBpu(
      "in+out",
      [...compareRules, manualOnly],
      [note("1 or more inputs"), broadcastCpu],
      "sizes",
    ),
    onCpu(note("1 or more inputs"), broadcastCpu),
  ),
});
