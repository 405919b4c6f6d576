import { intAttr } from "../ir/graph.ts";
import { i64 } from "../ir/tensor.ts";
import type { InferContext, OpDef } from "./op.ts";
import { onBpu, place } from "./rules.ts";
import { foldedShape } from "./rules_b.ts";

/** The dimensions that are asked for (`start` and `end` since opset 15). */
function part(c: InferContext): readonly number[] {
  const { shape } = c.need(0);
  const rank = shape.length;
  const clamp = (v: number): number => Math.min(Math.max(v < 0 ? v + rank : v, 0), rank);
  return shape.slice(clamp(intAttr(c.node, "start", 0)), clamp(intAttr(c.node, "end", rank)));
}

/** The dimensions of the input, as int64. */
export const shape: OpDef = {
  op: "Shape",
  place: place(onBpu("unstated", [foldedShape], []), onBpu("no", [foldedShape], [])),
  infer: (c) => [{ dtype: "int64", shape: [part(c).length] }],
  fold(c) {
    const dims = part(c);
    return dims.includes(-1) ? undefined : [i64(dims)];
  },
};
