import { intsAttr } from "../ir/graph.ts";
import { modelError } from "./context.ts";
import { type OpDef, shapeError } from "./op.ts";
import { needFloat } from "./pool.ts";
import { everywhere, onCpu, unrestricted } from "./rules.ts";

/** Max pooling of regions: X [N,C,H,W], rois [R,5] (batch, x1, y1, x2, y2) to [R,C,ph,pw]. */
export const maxRoiPool: OpDef = {
  op: "MaxRoiPool",
  infer(c) {
    needFloat(c);
    const [x, rois] = [c.need(0), c.need(1)];
    const size = intsAttr(c.node, "pooled_shape");
    if (size.length !== 2 || size.some((d) => d < 1)) {
      modelError(c.node, `pooled_shape ${size.join("x")} is not possible`);
    }
    if (x.shape.length !== 4 || rois.shape.length !== 2) {
      shapeError(c.node, "it needs X of rank 4 and rois of rank 2");
    }
    return [{ dtype: x.dtype, shape: [rois.shape[0]!, x.shape[1]!, ...size] }];
  },
  place: everywhere(onCpu(unrestricted)),
};
