import { intAttr } from "../ir/graph.ts";
import { modelError } from "./context.ts";
import { type OpDef, shapeError } from "./op.ts";
import { needFloat } from "./pool.ts";
import { everywhere, onCpu } from "./rules.ts";

/** Bilinear pooling of regions: X [N,C,H,W], rois [R,4], batch indices [R] to [R,C,h,w]. */
export const roiAlign: OpDef = {
  op: "RoiAlign",
  infer(c) {
    needFloat(c);
    const [x, rois] = [c.need(0), c.need(1)];
    const [h, w] = [intAttr(c.node, "output_height", 1), intAttr(c.node, "output_width", 1)];
    if (h < 1 || w < 1) modelError(c.node, `an output of ${h}x${w} is not possible`);
    if (x.shape.length !== 4 || rois.shape.length !== 2) {
      shapeError(c.node, "it needs X of rank 4 and rois of rank 2");
    }
    return [{ dtype: x.dtype, shape: [rois.shape[0]!, x.shape[1]!, h, w] }];
  },
  place: everywhere(onCpu()),
};
