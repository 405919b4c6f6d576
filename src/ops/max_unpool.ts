import type { TensorType } from "../ir/tensor.ts";
import { checkedShape } from "./args.ts";
import { toDoubles } from "./convert.ts";
import { given, modelError, needConstant } from "./context.ts";
import { type InferContext, type OpDef, shapeError } from "./op.ts";
import { windowOf } from "./spatial.ts";

function infer(c: InferContext): TensorType[] {
  const [x, i] = [c.need(0), c.need(1)];
  if (x.shape.length < 3) shapeError(c.node, `its input has rank ${x.shape.length}, it needs 3`);
  if (i.dtype !== "int64") modelError(c.node, `its indices are ${i.dtype}, not int64`);
  if (given(c, 2)) {
    const count = c.need(2).shape[0] ?? -1;
    if (count >= 0 && count !== x.shape.length) {
      shapeError(c.node, `output_shape has ${count} values for an input of rank ${x.shape.length}`);
    }
    const wanted = Array.from(toDoubles(needConstant(c, 2, "output_shape")));
    return [{ dtype: x.dtype, shape: checkedShape(c.node, wanted, "output_shape") }];
  }
  const size = x.shape.slice(2);
  const w = windowOf(c.node, size);
  const spatial = size.map((d, k) => {
    if (d < 0) return -1;
    const out = (d - 1) * w.strides[k]! + w.kernel[k]! - w.pads[k]! - w.pads[k + size.length]!;
    return out > 0
      ? out
      : shapeError(c.node, `its output would have ${out} rows along axis ${k + 2}`);
  });
  return [{ dtype: x.dtype, shape: [...x.shape.slice(0, 2), ...spatial] }];
}

/** Puts values back where MaxPool found them: X, indices, optional output shape. */
export const maxUnpool: OpDef = { op: "MaxUnpool", infer };
