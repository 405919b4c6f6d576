import { intAttr } from "../ir/graph.ts";
import { sameShape, shapeText } from "../ir/tensor.ts";
import { axisOf } from "./args.ts";
import { elementOffsets } from "./gather_elements.ts";
import { type InferContext, type OpDef, shapeError } from "./op.ts";
import { scatterInto } from "./scatter_values.ts";
import { everywhere, onCpu } from "./rules.ts";
import { dtypeOfData, indexDtype } from "./rules_b.ts";

function infer(c: InferContext) {
  const { dtype, shape } = c.need(0);
  const indices = c.need(1).shape;
  const updates = c.need(2);
  axisOf(c.node, intAttr(c.node, "axis", 0), shape.length);
  if (indices.length !== shape.length || updates.shape.length !== shape.length) {
    shapeError(
      c.node,
      `data has rank ${shape.length}, indices ${indices.length}, updates ${updates.shape.length}`,
    );
  }
  if (updates.dtype !== dtype) shapeError(c.node, `data is ${dtype}, updates ${updates.dtype}`);
  return [{ dtype, shape }];
}

/** Also the deprecated Scatter, which is the same without reductions. */
export function scatterElementsAs(op: string, rows: OpDef["place"]): OpDef {
  return {
    op,
    place: rows,
    infer,
    fold(c) {
      const data = c.constant(0);
      const updates = c.constant(2);
      if (data === undefined || updates === undefined) return undefined;
      infer(c);
      const indices = c.need(1).shape;
      if (!sameShape(indices, updates.shape)) {
        shapeError(c.node, `indices ${shapeText(indices)}, updates ${shapeText(updates.shape)}`);
      }
      const at = elementOffsets(c);
      return at && [scatterInto(c, data, at, updates)];
    },
  };
}

/** A copy of the data with elements replaced, or combined, by index along an axis. */
export const scatterElements: OpDef = scatterElementsAs(
  "ScatterElements",
  everywhere(onCpu(
    dtypeOfData(
      ["float", "int32", "int8"],
      "data, updates and output dtype in {float,int32,int8}",
      [0, 2],
    ),
    indexDtype(["int32"], "indices dtype int32 only"),
  )),
);
