import { argOp } from "./arg_extreme.ts";
import { axisIn, dtypeFloat, inputDim, inputRank, onBpu, place } from "./rules.ts";
import { argQuant } from "./lower/integer_results.ts";
import type { OpDef } from "./op.ts";

const rules = [
  inputRank(4, "input rank 4 NCHW"),
  axisIn([1], 0),
  inputDim("C", undefined, 64, "C <= 64"),
];

/** Index of the largest element along an axis, int64. */
export const argMax: OpDef = {
  ...argOp(
    "ArgMax",
    (a, b) => a > b,
    place(onBpu("in+out", rules, [dtypeFloat], "sizes"), onBpu("no", rules, [dtypeFloat])),
  ),
  quant: argQuant("HzArgMax"),
};
