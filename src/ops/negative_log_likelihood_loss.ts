import { stringAttr } from "../ir/graph.ts";
import type { OpDef } from "./op.ts";

/** Loss of log probabilities against class indices. */
export const negativeLogLikelihoodLoss: OpDef = {
  op: "NegativeLogLikelihoodLoss",
  infer(c) {
    const all = stringAttr(c.node, "reduction", "mean") === "none";
    return [{ dtype: c.need(0).dtype, shape: all ? c.need(1).shape : [] }];
  },
};
