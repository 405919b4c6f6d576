import { fn } from "../ir/function.ts";
import { HORIZON } from "../ir/graph.ts";
import { convQuant } from "./lower/conv.ts";
import type { OpDef } from "./op.ts";
import { everywhere, onBpu } from "./rules.ts";

/**
 * Colour conversion, +128, mean and scale of a picture input as one 1x1 convolution: inputs x
 * [N,C,H,W] (values minus 128), w [O,C,1,1], b [O]. The node HZ_PREPROCESS_FOR_<input> of the original.
 */
export const hzPreprocessFloat: OpDef = {
  op: "HzPreprocess",
  domain: HORIZON,
  infer(c) {
    const x = c.need(0), w = c.need(1);
    return [{ dtype: "float32", shape: [x.shape[0]!, w.shape[0]!, x.shape[2]!, x.shape[3]!] }];
  },
  place: everywhere(onBpu("no", [], [])),
  // The sum must be over output channels of unlike ranges, so nothing is fused into it.
  quant: { ...convQuant, fusesActivation: false, heavy: false, int32Output: false },
  body: fn("HzPreprocess", ["x", "w", "b"], ["y"], [], "y=Conv(x, w, b)"),
};
