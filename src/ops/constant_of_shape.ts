import { elementCount, f32, type Tensor } from "../ir/tensor.ts";
import { checkedShape, integerInput, lengthOf, unknownDims } from "./args.ts";
import { modelError } from "./context.ts";
import { foldable, reshaped, take } from "./nd.ts";
import type { InferContext, OpDef } from "./op.ts";
import { onBpu, outputDtypeIn, place } from "./rules.ts";
import { foldedValue } from "./rules_b.ts";

function valueOf(c: InferContext): Tensor {
  const a = c.node.attrs.get("value");
  if (a === undefined) return f32([1], [0]);
  if (a.type !== "tensor" || elementCount(a.value.shape) !== 1) {
    return modelError(c.node, "attribute value must be a tensor of one element");
  }
  return a.value;
}

function target(c: InferContext): number[] {
  const dims = integerInput(c, 0, "shape");
  return dims === undefined
    ? unknownDims(lengthOf(c, 0, "shape"))
    : checkedShape(c.node, dims, "shape");
}

const cpu = outputDtypeIn(["float", "int32", "int8"], "dtype in {float,int32,int8}");

/** One value repeated to a shape. */
export const constantOfShape: OpDef = {
  op: "ConstantOfShape",
  place: place(onBpu("unstated", [foldedValue], [cpu]), onBpu("no", [foldedValue], [cpu])),
  infer: (c) => [{ dtype: valueOf(c).dtype, shape: target(c) }],
  fold(c) {
    const shape = target(c);
    if (c.constant(0) === undefined || !foldable(shape)) return undefined;
    return [reshaped(take(valueOf(c), [new Int32Array(elementCount(shape))]), shape)];
  },
};
