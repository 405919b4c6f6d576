import { checkedShape, integerInput, lengthOf, unknownDims } from "./args.ts";
import { broadcastShape, padShape } from "./broadcast.ts";
import { stridesOf } from "../ir/tensor.ts";
import { foldable, rampTable, take } from "./nd.ts";
import type { InferContext, OpDef } from "./op.ts";
import { onBpu, onCpu, place } from "./rules.ts";
import { dataRanks, oneDimDiffers } from "./rules_b.ts";
import { runExpand } from "./hz/index_run.ts";
import { movementQuant } from "./lower/movement.ts";

function target(c: InferContext): number[] {
  const { shape } = c.need(0);
  const want = integerInput(c, 1, "shape");
  if (want === undefined) return unknownDims(Math.max(shape.length, lengthOf(c, 1, "shape")));
  return broadcastShape(c.node, [shape, checkedShape(c.node, want, "shape")]);
}

/** Broadcast to a shape. */
export const expand: OpDef = {
  op: "Expand",
  quant: movementQuant,
  run: runExpand,
  place: place(
    onBpu("in+out", [dataRanks(1, 10, "input/output rank 1..10"), oneDimDiffers], []),
    onCpu(),
  ),
  infer: (c) => [{ dtype: c.need(0).dtype, shape: target(c) }],
  fold(c) {
    const x = c.constant(0);
    if (x === undefined) return undefined;
    const shape = target(c);
    if (!foldable(shape)) return undefined;
    const from = padShape(x.shape, shape.length);
    const strides = stridesOf(from);
    return [take(x, shape.map((d, i) => rampTable(d, from[i] === 1 ? 0 : strides[i]!)))];
  },
};
