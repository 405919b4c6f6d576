/**
 * QuantizeLinear and DequantizeLinear: 19 (`saturate`), 21 (`block_size`, `output_dtype`).
 *
 * @module
 */

import { intAttr, type Node } from "../../../ir/graph.ts";
import { allocate } from "../../../ir/tensor.ts";
import { dtypeFromOnnx } from "../dtypes.ts";
import { type Context, refuse, rewired, without } from "./context.ts";

/** `saturate` matters for float8 only; the output type is that of the zero point. */
export function quantizeLinear(n: Node, c: Context): readonly Node[] | undefined {
  if (c.opset < 19) return undefined;
  if (intAttr(n, "block_size", 0) !== 0) {
    throw refuse(n, "block-wise quantization is not supported", "Quantize per tensor or channel.");
  }
  const attrs = without(n.attrs, "saturate", "block_size", "output_dtype", "precision");
  const code = intAttr(n, "output_dtype", 0);
  let inputs = n.inputs;
  if (n.op === "QuantizeLinear" && code !== 0 && (n.inputs[2] ?? "") === "") {
    const dtype = dtypeFromOnnx(code, { node: n.name, op: n.op });
    const scale = c.constant(n.inputs[1] ?? "");
    if (scale === undefined) throw refuse(n, "the scale is computed at run time");
    const zero = { dtype, shape: scale.shape, data: allocate(dtype, scale.data.length) };
    inputs = [n.inputs[0] ?? "", n.inputs[1] ?? "", c.addConstant(`${n.name}_zero_point`, zero)];
  }
  return attrs.size === n.attrs.size && inputs === n.inputs
    ? undefined
    : [rewired(n, inputs, attrs)];
}
