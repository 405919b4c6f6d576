import { stridesOf } from "../ir/tensor.ts";
import { checkedShape, integerInput, unknownDims } from "./args.ts";
import { foldable, take } from "./nd.ts";
import { type InferContext, type OpDef, shapeError } from "./op.ts";
import { dtypeIn, onBpu, onCpu, place } from "./rules.ts";
import { oneDimDiffers } from "./rules_b.ts";
import { runTile } from "./hz/index_run.ts";
import { movementQuant } from "./lower/movement.ts";

function target(c: InferContext): number[] {
  const { shape } = c.need(0);
  const list = integerInput(c, 1, "repeats");
  if (list === undefined) return unknownDims(shape.length);
  const repeats = checkedShape(c.node, list, "repeats");
  if (repeats.length !== shape.length) {
    shapeError(c.node, `repeats has ${repeats.length} values for rank ${shape.length}`);
  }
  return shape.map((d, i) => d < 0 ? (repeats[i] === 0 ? 0 : -1) : d * repeats[i]!);
}

const cpu = dtypeIn(["float", "int64", "int32", "uint64", "uint32"]);

/** A tensor repeated along its axes. */
export const tile: OpDef = {
  op: "Tile",
  quant: movementQuant,
  run: runTile,
  place: place(onBpu("in+out", [oneDimDiffers], [cpu], "rank4"), onCpu(cpu)),
  infer: (c) => [{ dtype: c.need(0).dtype, shape: target(c) }],
  fold(c) {
    const x = c.constant(0);
    if (x === undefined) return undefined;
    const shape = target(c);
    if (!foldable(shape)) return undefined;
    const strides = stridesOf(x.shape);
    return [take(
      x,
      shape.map((d, a) =>
        Int32Array.from({ length: d }, (_, i) => (i % x.shape[a]!) * strides[a]!)
      ),
    )];
  },
};
