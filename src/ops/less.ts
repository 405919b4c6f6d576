import { broadcastOnCpu, elementwise } from "./elementwise.ts";
import type { OpDef } from "./op.ts";
import { broadcastCpu, manualOnly, onBpu, place, ranks } from "./rules.ts";
import { compareQuant } from "./lower/integer_results.ts";

/** What bayes states for Less. */
export const lessRules = [ranks(2, 5, "input/output rank 2..5", true), manualOnly];

/** a < b. */
export const less: OpDef = elementwise({
  op: "Less",
  quant: compareQuant("HzLess"),
  takes: "number",
  gives: "bool",
  number: () => (a, b) => a < b ? 1 : 0,
  place: place(onBpu("in", lessRules, [broadcastCpu], "sizes"), broadcastOnCpu),
});
