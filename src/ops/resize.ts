import { floatAttr, intAttr, stringAttr } from "../ir/graph.ts";
import { stridesOf } from "../ir/tensor.ts";
import { foldable, take } from "./nd.ts";
import type { OpDef } from "./op.ts";
import { nearestIndex } from "./resize_map.ts";
import { resizeRow, resizeRow8 } from "./resize_rules.ts";
import { coordinatesOf, nearestModeOf, resizesOf } from "./resize_shape.ts";
import { place } from "./rules.ts";
import { resizeQuant } from "./lower/resize.ts";

/** Definition shared with Upsample. */
export function resizeAs(op: string, rows: OpDef["place"]): OpDef {
  return {
    op,
    place: rows,
    infer: (c) => [{ dtype: c.need(0).dtype, shape: resizesOf(c).map((r) => r.outSize) }],
    fold(c) {
      const x = c.constant(0);
      if (x === undefined) return undefined;
      const coordinates = coordinatesOf(c.node);
      const plain = stringAttr(c.node, "mode", "nearest") === "nearest" &&
        coordinates !== "tf_crop_and_resize" && intAttr(c.node, "antialias", 0) === 0 &&
        floatAttr(c.node, "extrapolation_value", 0) === 0;
      const resizes = resizesOf(c);
      if (!plain || x.shape.includes(0) || !foldable(resizes.map((r) => r.outSize))) {
        return undefined;
      }
      const nearest = nearestModeOf(c.node);
      const strides = stridesOf(x.shape);
      return [take(
        x,
        resizes.map(({ outSize, scale }, a) =>
          nearestIndex({ inSize: x.shape[a]!, outSize, scale, coordinates, nearest })
            .map((i) => i * strides[a]!)
        ),
      )];
    },
  };
}

/** Pixels interpolated to another size. */
export const resize: OpDef = {
  ...resizeAs("Resize", place(resizeRow, resizeRow8)),
  quant: resizeQuant,
};
