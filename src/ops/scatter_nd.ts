import { elementCount, sameShape, shapeText } from "../ir/tensor.ts";
import { tupleOffsets } from "./gather_nd.ts";
import { foldable, offsetsOf, rampTable } from "./nd.ts";
import { type InferContext, type OpDef, shapeError } from "./op.ts";
import { scatterInto } from "./scatter_values.ts";
import { everywhere, onCpu } from "./rules.ts";
import { dtypeOfData } from "./rules_b.ts";

function infer(c: InferContext) {
  const { dtype, shape } = c.need(0);
  const k = c.need(1).shape.at(-1);
  if (k === undefined || k > shape.length) {
    shapeError(c.node, `index tuples of ${k ?? "no"} entries do not fit rank ${shape.length}`);
  }
  const updates = c.need(2).dtype;
  if (updates !== dtype) shapeError(c.node, `data is ${dtype}, updates ${updates}`);
  return [{ dtype, shape }];
}

/** A copy of the data with slices replaced, or combined, by index tuples. */
export const scatterND: OpDef = {
  op: "ScatterND",
  place: everywhere(onCpu(
    dtypeOfData(
      ["float", "int32", "int8"],
      "data, updates and output dtype in {float,int32,int8}",
      [0, 2],
    ),
  )),
  infer,
  fold(c) {
    const data = c.constant(0);
    const indices = c.constant(1);
    const updates = c.constant(2);
    if (data === undefined || indices === undefined || updates === undefined) return undefined;
    infer(c);
    const slice = data.shape.slice(indices.shape.at(-1));
    const want = [...indices.shape.slice(0, -1), ...slice];
    if (!sameShape(updates.shape, want)) {
      shapeError(c.node, `updates are ${shapeText(updates.shape)}, not ${shapeText(want)}`);
    }
    const at = tupleOffsets(c, data.shape, 0);
    if (at === undefined || !foldable(want)) return undefined;
    const offsets = offsetsOf([at, rampTable(elementCount(slice), 1)]);
    return [scatterInto(c, data, offsets, updates)];
  },
};
