import { convShape } from "./conv.ts";
import type { OpDef } from "./op.ts";
import { everywhere, notIntegrated } from "./rules.ts";

/** Convolution of 8-bit integers to int32: X, W, zero points. */
export const convInteger: OpDef = {
  op: "ConvInteger",
  infer: (c) => [{ dtype: "int32", shape: convShape(c.node, c.need(0).shape, c.need(1).shape) }],
  place: everywhere(notIntegrated()),
};
