import type { OpDef } from "./op.ts";
import { needFloat, pooled } from "./pool.ts";
import { dtypeIn, everywhere, inputRank, noAutoPad, onCpu } from "./rules.ts";

/** p-norm of each window. */
export const lpPool: OpDef = {
  op: "LpPool",
  infer(c) {
    needFloat(c);
    return [pooled(c)];
  },
  place: everywhere(onCpu(noAutoPad(), dtypeIn(["float", "double"]), inputRank(4))),
};
