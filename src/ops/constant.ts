import { f32, i64, i64Scalar, type Tensor, tensor } from "../ir/tensor.ts";
import { modelError } from "./context.ts";
import type { InferContext, OpDef } from "./op.ts";
import { attrUnsupported, note, onBpu, outputDtypeIn, place } from "./rules.ts";

/** The value, whichever attribute it is in. */
function valueOf(c: InferContext): Tensor {
  for (const [key, a] of c.node.attrs) {
    if (key === "value" && a.type === "tensor") return a.value;
    if (key === "value_float" && a.type === "float") return f32([], [a.value]);
    if (key === "value_floats" && a.type === "floats") return f32([a.value.length], a.value);
    if (key === "value_int" && a.type === "int") return i64Scalar(a.value);
    if (key === "value_ints" && a.type === "ints") return i64(a.value);
    if (key === "value_string" && a.type === "string") return tensor("string", [], [a.value]);
    if (key === "value_strings" && a.type === "strings") {
      return tensor("string", [a.value.length], [...a.value]);
    }
  }
  return modelError(
    c.node,
    c.node.attrs.has("sparse_value") ? "sparse tensors are not supported" : "it has no value",
  );
}

const folded = note("constant-folded to a stored value");
const dense = attrUnsupported("sparse_value", "sparse_tensor attribute unsupported");

/** A stored value; loading turns it into an initializer. */
export const constant: OpDef = {
  op: "Constant",
  place: place(
    onBpu("unstated", [folded], [dense]),
    onBpu("no", [folded], [dense, outputDtypeIn(["float"], "dtype float only")]),
  ),
  infer(c) {
    const { dtype, shape } = valueOf(c);
    return [{ dtype, shape }];
  },
  fold: (c) => [valueOf(c)],
};
