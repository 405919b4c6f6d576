import { broadcastOnCpu, elementwise } from "./elementwise.ts";
import { lessRules } from "./less.ts";
import type { OpDef } from "./op.ts";
import { both, broadcastCpu, note, onBpu, place } from "./rules.ts";
import { compareQuant } from "./lower/integer_results.ts";

/** a >= b. */
export const greaterOrEqual: OpDef = elementwise({
  op: "GreaterOrEqual",
  quant: compareQuant("HzGreaterOrEqual"),
  takes: "number",
  gives: "bool",
  number: () => (a, b) => a >= b ? 1 : 0,
  place: place(
    onBpu(
      "unstated",
      [
        note("single op unsupported at opset 11; split form Less+Not runs on BPU"),
        both("same limits as Less", ...lessRules),
      ],
      [broadcastCpu],
      "sizes",
    ),
    broadcastOnCpu,
  ),
});
