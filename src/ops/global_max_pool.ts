import type { OpDef } from "./op.ts";
import { globalPool } from "./pool.ts";
import { both, dtypeFloat, inputHW, inputRank, onBpu, place } from "./rules.ts";
import { globalMaxPoolQuant } from "./lower/reduce.ts";

/** Largest element over H and W. */
export const globalMaxPool: OpDef = {
  ...globalPool(
    "GlobalMaxPool",
    place(
      onBpu("unstated", [inputHW(1, 256, "H,W in 1..256")], [dtypeFloat, inputRank(4)], "rank4"),
      onBpu("no", [
        both("input NCHW: H,W in 1..1024", inputRank(4), inputHW(1, 1024, "")),
      ], [dtypeFloat, inputRank(4)]),
    ),
  ),
  quant: globalMaxPoolQuant,
};
