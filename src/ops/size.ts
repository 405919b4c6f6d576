import { i64Scalar } from "../ir/tensor.ts";
import { product } from "./args.ts";
import type { OpDef } from "./op.ts";
import { onBpu, place } from "./rules.ts";
import { foldedShape } from "./rules_b.ts";

/** The number of elements, as int64. */
export const size: OpDef = {
  op: "Size",
  place: place(onBpu("unstated", [foldedShape], []), onBpu("no", [foldedShape], [])),
  infer: () => [{ dtype: "int64", shape: [] }],
  fold(c) {
    const n = product(c.need(0).shape);
    return n < 0 ? undefined : [i64Scalar(n)];
  },
};
