import { intAttr } from "../ir/graph.ts";
import { elementCount, stridesOf } from "../ir/tensor.ts";
import { integersOf } from "./args.ts";
import { unknownShape } from "./context.ts";
import { foldable, rampTable, reshaped, take } from "./nd.ts";
import { type InferContext, type OpDef, shapeError } from "./op.ts";
import { everywhere, onCpu } from "./rules.ts";
import { dtypeOfData, indexDtype } from "./rules_b.ts";

/**
 * Offsets of the slices that index tuples address in a tensor of `shape` whose first `batch` axes run
 * along with the indices' own. Shared with ScatterND.
 */
export function tupleOffsets(
  c: InferContext,
  shape: readonly number[],
  batch: number,
): Int32Array | undefined {
  const indices = c.constant(1);
  if (indices === undefined || !foldable(indices.shape)) return undefined;
  const k = indices.shape.at(-1) ?? 0;
  const strides = stridesOf(shape);
  const values = integersOf(c.node, indices, "indices");
  const tuples = elementCount(indices.shape.slice(0, -1));
  const batches = elementCount(shape.slice(0, batch));
  const perBatch = batches === 0 ? 0 : tuples / batches;
  const step = elementCount(shape.slice(batch));
  return Int32Array.from({ length: tuples }, (_, t) => {
    let at = batch === 0 ? 0 : Math.floor(t / perBatch) * step;
    for (let j = 0; j < k; j++) {
      const size = shape[batch + j]!;
      const v = values[t * k + j]!;
      const i = v < 0 ? v + size : v;
      if (!(i >= 0 && i < size)) shapeError(c.node, `index ${v} is outside -${size}..${size - 1}`);
      at += i * strides[batch + j]!;
    }
    return at;
  });
}

function target(c: InferContext): { shape: number[]; batch: number; slice: number[] } {
  const { shape } = c.need(0);
  const indices = c.need(1).shape;
  const batch = intAttr(c.node, "batch_dims", 0);
  const k = indices.at(-1) ?? 0;
  if (k < 0) unknownShape(c.node, "the last dimension of indices is not known");
  if (indices.length === 0 || batch < 0 || batch >= indices.length || batch + k > shape.length) {
    shapeError(
      c.node,
      `index tuples of ${k} with ${batch} batch dimensions do not fit rank ${shape.length}`,
    );
  }
  const slice = shape.slice(batch + k);
  return { shape: [...indices.slice(0, -1), ...slice], batch, slice };
}

/** Slices of the data by index tuples. */
export const gatherND: OpDef = {
  op: "GatherND",
  place: everywhere(onCpu(
    dtypeOfData(["float", "int32", "int8"], "input and output dtype in {float,int32,int8}"),
    indexDtype(["int64"], "indices dtype int64 only"),
  )),
  infer: (c) => [{ dtype: c.need(0).dtype, shape: target(c).shape }],
  fold(c) {
    const x = c.constant(0);
    if (x === undefined) return undefined;
    const { shape, batch, slice } = target(c);
    if (!foldable(shape)) return undefined;
    const at = tupleOffsets(c, x.shape, batch);
    return at && [reshaped(take(x, [at, rampTable(elementCount(slice), 1)]), shape)];
  },
};
