import { castTensor } from "./convert.ts";
import type { OpDef } from "./op.ts";

/** Elements in the type of the second input. */
export const castLike: OpDef = {
  op: "CastLike",
  infer: (c) => [{ dtype: c.need(1).dtype, shape: c.need(0).shape }],
  fold(c) {
    const x = c.constant(0);
    return x && [castTensor(x, c.need(1).dtype)];
  },
};
