import { intsAttr } from "../ir/graph.ts";
import { stridesOf } from "../ir/tensor.ts";
import { axesOf, checkedShape, integerInput } from "./args.ts";
import { foldable, take } from "./nd.ts";
import { type InferContext, type OpDef, shapeError } from "./op.ts";

function target(c: InferContext): number[] {
  const { shape } = c.need(0);
  const axes = c.node.attrs.has("axes")
    ? axesOf(c.node, intsAttr(c.node, "axes"), shape.length)
    : shape.map((_, i) => i);
  const list = integerInput(c, 1, "shape");
  if (list !== undefined && list.length !== axes.length) {
    shapeError(c.node, `shape has ${list.length} values for ${axes.length} axes`);
  }
  const want = list && checkedShape(c.node, list, "shape");
  return shape.map((d, i) => axes.includes(i) ? want?.[axes.indexOf(i)] ?? -1 : d);
}

/** Crops or pads around the centre to given sizes. */
export const centerCropPad: OpDef = {
  op: "CenterCropPad",
  infer: (c) => [{ dtype: c.need(0).dtype, shape: target(c) }],
  fold(c) {
    const x = c.constant(0);
    if (x === undefined) return undefined;
    const shape = target(c);
    if (!foldable(shape)) return undefined;
    const strides = stridesOf(x.shape);
    return [take(
      x,
      shape.map((d, a) => {
        const size = x.shape[a]!;
        // Both centres round towards the start.
        const shift = d < size ? Math.floor((size - d) / 2) : -Math.floor((d - size) / 2);
        return Int32Array.from({ length: d }, (_, i) => {
          const s = i + shift;
          return s >= 0 && s < size ? s * strides[a]! : -1;
        });
      }),
    )];
  },
};
