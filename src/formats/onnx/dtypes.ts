/**
 * ONNX element types (TensorProto.DataType) and ours.
 *
 * @module
 */

import { BpuError, type ErrorPlace } from "../../errors.ts";
import type { DType } from "../../ir/tensor.ts";

const pairs: readonly (readonly [number, DType])[] = [
  [1, "float32"],
  [2, "uint8"],
  [3, "int8"],
  [4, "uint16"],
  [5, "int16"],
  [6, "int32"],
  [7, "int64"],
  [8, "string"],
  [9, "bool"],
  [10, "float16"],
  [11, "float64"],
  [12, "uint32"],
  [13, "uint64"],
  [16, "bfloat16"],
];
const toOurs: ReadonlyMap<number, DType> = new Map(pairs);
const toOnnx: ReadonlyMap<DType, number> = new Map(pairs.map(([n, d]) => [d, n]));

const foreign: ReadonlyMap<number, string> = new Map([
  [14, "complex64"],
  [15, "complex128"],
  [17, "float8e4m3fn"],
  [18, "float8e4m3fnuz"],
  [19, "float8e5m2"],
  [20, "float8e5m2fnuz"],
  [21, "uint4"],
  [22, "int4"],
  [23, "float4e2m1"],
]);

/** Our dtype of an ONNX element type; throws `unsupported` or `model` when there is none. */
export function dtypeFromOnnx(code: number, place: ErrorPlace = {}): DType {
  const d = toOurs.get(code);
  if (d !== undefined) return d;
  const name = foreign.get(code);
  if (name !== undefined) {
    throw new BpuError("unsupported", `element type ${name} is not supported`, {
      hint: "Export the model in float32.",
      ...place,
    });
  }
  throw new BpuError("model", `element type ${code} does not exist`, place);
}

/** The ONNX element type of a dtype. */
export function dtypeToOnnx(dtype: DType): number {
  return toOnnx.get(dtype)!;
}
