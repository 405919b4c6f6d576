import { intAttr } from "../ir/graph.ts";
import type { DType, TensorType } from "../ir/tensor.ts";
import { given, modelError } from "./context.ts";
import { dtypeOfCode, fromDoubles, isFloat, toDoubles } from "./convert.ts";
import type { InferContext, OpDef } from "./op.ts";
import { checkScale, scaleIndex, zerosOf } from "./quantized_types.ts";
import { everywhere, onCpu } from "./rules.ts";
import { roundEven } from "./special.ts";

const ranges: ReadonlyMap<DType, readonly [number, number]> = new Map([
  ["uint8", [0, 255]],
  ["int8", [-128, 127]],
  ["uint16", [0, 65535]],
  ["int16", [-32768, 32767]],
]);

/** Smallest and largest value of a quantized type. */
export function rangeOfType(d: DType): readonly [number, number] | undefined {
  return ranges.get(d);
}

function infer(c: InferContext): TensorType[] {
  const x = c.need(0);
  const code = intAttr(c.node, "output_dtype", 0);
  const dtype = given(c, 2) ? c.need(2).dtype : code === 0 ? "uint8" : dtypeOfCode(code);
  if (dtype === undefined || !ranges.has(dtype)) {
    return modelError(c.node, `its output type ${dtype ?? code} is not an 8 or 16 bit integer`);
  }
  checkScale(c, 1, 2, x.shape, intAttr(c.node, "axis", 1));
  return [{ dtype, shape: x.shape }];
}

/** saturate(round(x / scale) + zero point), halves to even. */
export const quantizeLinear: OpDef = {
  op: "QuantizeLinear",
  infer,
  fold(c) {
    const [x, scale, zero] = [c.constant(0), c.constant(1), c.constant(2)];
    if (x === undefined || scale === undefined || (given(c, 2) && zero === undefined)) {
      return undefined;
    }
    if (!isFloat(x.dtype) && x.dtype !== "int32") return undefined;
    const [{ dtype, shape }] = infer(c) as [TensorType];
    const [lo, hi] = ranges.get(dtype)!;
    const s = toDoubles(scale);
    const z = zerosOf(zero, s.length);
    const at = scaleIndex(c, shape, scale);
    const y = toDoubles(x).map((v, i) => {
      const k = at(i);
      return Math.min(hi, Math.max(lo, roundEven(Math.fround(v / s[k]!)) + z[k]!));
    });
    return [{ dtype, shape, data: fromDoubles(dtype, y) }];
  },
  place: everywhere(onCpu()),
};
