import { productShape } from "./matmul.ts";
import type { OpDef } from "./op.ts";
import { everywhere, notIntegrated } from "./rules.ts";

/** Quantized product: a, its scale and zero point, b likewise, y's scale and zero point. */
export const qlinearMatmul: OpDef = {
  op: "QLinearMatMul",
  infer: (c) => [{
    dtype: c.need(7).dtype,
    shape: productShape(c.node, c.need(0).shape, c.need(3).shape),
  }],
  place: everywhere(notIntegrated()),
};
