import { stringAttr } from "../ir/graph.ts";
import type { OpDef } from "./op.ts";

/** Loss of scores against class indices. */
export const softmaxCrossEntropyLoss: OpDef = {
  op: "SoftmaxCrossEntropyLoss",
  infer(c) {
    const { dtype, shape } = c.need(0);
    const all = stringAttr(c.node, "reduction", "mean") === "none";
    const loss = { dtype, shape: all ? c.need(1).shape : [] };
    // The second output: the logarithms of the probabilities.
    return c.node.outputs.length > 1 ? [loss, { dtype, shape }] : [loss];
  },
};
