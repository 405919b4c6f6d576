import { needRank } from "./args.ts";
import type { OpDef } from "./op.ts";

/** Boxes that do not overlap better ones, as rows (batch, class, box). */
export const nonMaxSuppression: OpDef = {
  op: "NonMaxSuppression",
  infer(c) {
    needRank(c.node, c.need(0).shape, 3, "boxes");
    needRank(c.node, c.need(1).shape, 3, "scores");
    // One row (batch, class, box) for each box that is selected.
    return [{ dtype: "int64", shape: [-1, 3] }];
  },
};
