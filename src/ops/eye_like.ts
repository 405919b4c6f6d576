import { intAttr } from "../ir/graph.ts";
import type { DType } from "../ir/tensor.ts";
import { dtypeAttr, needRank } from "./args.ts";
import { fromDoubles } from "./convert.ts";
import { foldable } from "./nd.ts";
import type { InferContext, OpDef } from "./op.ts";
import { everywhere, onCpu } from "./rules.ts";

function dtypeFor(c: InferContext): DType {
  return c.node.attrs.has("dtype")
    ? dtypeAttr(c.node, intAttr(c.node, "dtype"), "dtype")
    : c.need(0).dtype;
}

/** Ones on a diagonal, in the shape of the input. */
export const eyeLike: OpDef = {
  op: "EyeLike",
  place: everywhere(onCpu()),
  infer(c) {
    const { shape } = c.need(0);
    needRank(c.node, shape, 2, "the input");
    return [{ dtype: dtypeFor(c), shape }];
  },
  fold(c) {
    const { shape } = c.need(0);
    if (!foldable(shape)) return undefined;
    const [rows, columns] = shape as [number, number];
    const k = intAttr(c.node, "k", 0);
    const values = new Float64Array(rows * columns);
    for (let r = Math.max(0, -k); r < rows && r + k < columns; r++) values[r * columns + r + k] = 1;
    const dtype = dtypeFor(c);
    return [{ dtype, shape, data: fromDoubles(dtype, values) }];
  },
};
