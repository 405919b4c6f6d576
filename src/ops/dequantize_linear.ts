import { intAttr } from "../ir/graph.ts";
import type { TensorType } from "../ir/tensor.ts";
import { given, modelError } from "./context.ts";
import { fromDoubles, toDoubles } from "./convert.ts";
import type { InferContext, OpDef } from "./op.ts";
import { checkScale, scaleIndex, zerosOf } from "./quantized_types.ts";
import { everywhere, onCpu } from "./rules.ts";

function infer(c: InferContext): TensorType[] {
  const [x, scale] = [c.need(0), c.need(1)];
  if (given(c, 2) && c.need(2).dtype !== x.dtype) {
    modelError(c.node, `its input is ${x.dtype} and its zero point ${c.need(2).dtype}`);
  }
  checkScale(c, 1, 2, x.shape, intAttr(c.node, "axis", 1));
  return [{ dtype: scale.dtype, shape: x.shape }];
}

/** (x - zero point) scale. */
export const dequantizeLinear: OpDef = {
  op: "DequantizeLinear",
  infer,
  fold(c) {
    const [x, scale, zero] = [c.constant(0), c.constant(1), c.constant(2)];
    if (x === undefined || scale === undefined || (given(c, 2) && zero === undefined)) {
      return undefined;
    }
    const s = toDoubles(scale);
    const z = zerosOf(zero, s.length);
    const at = scaleIndex(c, x.shape, scale);
    const y = toDoubles(x).map((v, i) => {
      const k = at(i);
      return Math.fround(v - z[k]!) * s[k]!;
    });
    return [{ dtype: scale.dtype, shape: x.shape, data: fromDoubles(scale.dtype, y) }];
  },
  place: everywhere(onCpu()),
};
