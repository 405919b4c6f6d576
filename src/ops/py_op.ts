import { dtypeFromOnnx } from "../formats/onnx/dtypes.ts";
import type { TensorType } from "../ir/tensor.ts";
import { intsAttr } from "../ir/graph.ts";
import { unknownShape } from "./context.ts";
import type { OpDef } from "./op.ts";
import { shapeError } from "./op.ts";
import { everywhere, onCpu } from "./rules.ts";

/** Attribute with the shape of each output, `1x3x4x4`; written when the operator is registered. */
export const OUTPUT_SHAPES = "output_shapes";

/**
 * An operator that the user registers (domain `horizon.custom`). Its types are attributes: `output_types`
 * from the exporter, `output_shapes` from the user's `infer_shape` (see `run/custom/`).
 */
export const pyOp: OpDef = {
  op: "PyOp",
  domain: "horizon.custom",
  infer(c) {
    const shapes = c.node.attrs.get(OUTPUT_SHAPES);
    if (shapes?.type !== "strings") {
      return unknownShape(
        c.node,
        "the operator was not registered, so its output shape is unknown",
      );
    }
    const types = intsAttr(c.node, "output_types", shapes.value.map(() => 1));
    if (types.length !== shapes.value.length) {
      shapeError(c.node, `${types.length} output_types for ${shapes.value.length} output_shapes`);
    }
    return shapes.value.map((text, i): TensorType => {
      const shape = text === "scalar" ? [] : text.split("x").map(Number);
      if (shape.some((d) => !Number.isSafeInteger(d) || d < 0)) {
        shapeError(c.node, `output_shapes: '${text}' is not a shape`);
      }
      return { dtype: dtypeFromOnnx(types[i]!, { node: c.node.name, op: c.node.op }), shape };
    });
  },
  place: everywhere(onCpu()),
};
