import { intAttr } from "../ir/graph.ts";
import { stridesOf } from "../ir/tensor.ts";
import { axisOf } from "./args.ts";
import { indexTable } from "./gather.ts";
import { foldable, offsetsOf, rampTable, reshaped, take } from "./nd.ts";
import { type InferContext, type OpDef, shapeError } from "./op.ts";
import { onBpu, onCpu, place } from "./rules.ts";
import { indexDtype, indexRanks } from "./rules_b.ts";
import { runGatherElements } from "./hz/index_run.ts";
import { gatherElementsQuant } from "./lower/movement.ts";

/**
 * For each element of `indices` the offset in data that it addresses: its own position, except along
 * the axis. Shared with ScatterElements.
 */
export function elementOffsets(c: InferContext): Int32Array | undefined {
  const indices = c.constant(1);
  const { shape } = c.need(0);
  if (indices === undefined || !foldable(indices.shape) || shape.includes(-1)) return undefined;
  const axis = axisOf(c.node, intAttr(c.node, "axis", 0), shape.length);
  indices.shape.forEach((d, i) => {
    if (i !== axis && d > shape[i]!) {
      shapeError(c.node, `indices dimension ${i} is ${d}, more than ${shape[i]} of the data`);
    }
  });
  const strides = stridesOf(shape);
  const at = offsetsOf(indices.shape.map((d, i) => rampTable(d, i === axis ? 0 : strides[i]!)));
  const along = indexTable(c, indices, shape[axis]!, strides[axis]!);
  return at.map((v, i) => v + along[i]!);
}

/** Elements by index along an axis; the output has the shape of the indices. */
export const gatherElements: OpDef = {
  op: "GatherElements",
  quant: gatherElementsQuant,
  run: runGatherElements,
  place: place(
    onBpu(
      "in+out",
      [indexRanks, indexDtype(["int16", "int32", "int64"], "indices dtype in {int16,int32,int64}")],
      [],
    ),
    onCpu(),
  ),
  infer(c) {
    const { dtype, shape } = c.need(0);
    const indices = c.need(1).shape;
    axisOf(c.node, intAttr(c.node, "axis", 0), shape.length);
    if (indices.length !== shape.length) {
      shapeError(c.node, `data has rank ${shape.length}, indices ${indices.length}`);
    }
    return [{ dtype, shape: indices }];
  },
  fold(c) {
    const x = c.constant(0);
    if (x === undefined) return undefined;
    const at = elementOffsets(c);
    return at && [reshaped(take(x, [at]), c.need(1).shape)];
  },
};
