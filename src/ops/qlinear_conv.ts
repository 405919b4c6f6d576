import { checkBias, convShape } from "./conv.ts";
import type { OpDef } from "./op.ts";
import { everywhere, notIntegrated } from "./rules.ts";

/** Quantized convolution: x, its scale and zero point, w likewise, y's scale and zero point, bias. */
export const qlinearConv: OpDef = {
  op: "QLinearConv",
  infer(c) {
    const shape = convShape(c.node, c.need(0).shape, c.need(3).shape);
    checkBias(c, 8, shape[1]!);
    return [{ dtype: c.need(7).dtype, shape }];
  },
  place: everywhere(notIntegrated()),
};
