import { intAttr } from "../ir/graph.ts";
import { modelError } from "./context.ts";
import { type OpDef, shapeError } from "./op.ts";
import { needFloat } from "./pool.ts";
import { dtypeFloat, everywhere, inputRank, onCpu } from "./rules.ts";

/** Local response normalisation across channels. */
export const lrn: OpDef = {
  op: "LRN",
  infer(c) {
    needFloat(c);
    const { dtype, shape } = c.need(0);
    if (shape.length < 2) {
      shapeError(c.node, `its input has rank ${shape.length}, it needs 2 or more`);
    }
    if (intAttr(c.node, "size") < 1) modelError(c.node, "size must be positive");
    return [{ dtype, shape }];
  },
  place: everywhere(onCpu(dtypeFloat, inputRank(4))),
};
