import type { OpDef } from "./op.ts";
import { globalPool } from "./pool.ts";
import { dtypeIn, everywhere, inputRank, onCpu } from "./rules.ts";

/** p-norm over H and W. */
export const globalLpPool: OpDef = globalPool(
  "GlobalLpPool",
  everywhere(onCpu(dtypeIn(["float", "double"]), inputRank(4))),
);
