import { broadcastOnCpu, compareRules, elementwise } from "./elementwise.ts";
import type { OpDef } from "./op.ts";
import { both, broadcastCpu, manualOnly, note, onBpu, place } from "./rules.ts";
import { compareQuant } from "./lower/integer_results.ts";

/** a <= b. */
export const lessOrEqual: OpDef = elementwise({
  op: "LessOrEqual",
  quant: compareQuant("HzLessOrEqual"),
  takes: "number",
  gives: "bool",
  number: () => (a, b) => a <= b ? 1 : 0,
  place: place(
    onBpu(
      "unstated",
      [
        note("single op unsupported at opset 11; split form Greater+Not runs on BPU"),
        both("same limits as Greater", ...compareRules, manualOnly),
      ],
      [broadcastCpu],
      "sizes",
    ),
    broadcastOnCpu,
  ),
});
