/**
 * Tensors and their types: a shape, a dtype and a typed array in row-major order.
 *
 * @module
 */

import { BpuError } from "../errors.ts";

/** Element types. `float16` and `bfloat16` data are held as raw bits in a `Uint16Array`. */
export type DType =
  | "float32"
  | "float64"
  | "float16"
  | "bfloat16"
  | "int8"
  | "uint8"
  | "int16"
  | "uint16"
  | "int32"
  | "uint32"
  | "int64"
  | "uint64"
  | "bool"
  | "string";

/** Element storage; `bool` is a `Uint8Array` of 0 and 1. */
export type TensorData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | string[];

/** A tensor's type: dtype and static shape. A dimension of -1 is unknown. */
export interface TensorType {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** A tensor with data, row-major. Treated as immutable once built. */
export interface Tensor extends TensorType {
  readonly data: TensorData;
}

const bytesOf: Readonly<Record<DType, number>> = {
  float32: 4,
  float64: 8,
  float16: 2,
  bfloat16: 2,
  int8: 1,
  uint8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  uint64: 8,
  bool: 1,
  string: 0,
};

/** Bytes per element; 0 for strings. */
export function byteSize(dtype: DType): number {
  return bytesOf[dtype];
}

/** Product of the dimensions (1 for a scalar). */
export function elementCount(shape: readonly number[]): number {
  let n = 1;
  for (const d of shape) n *= d;
  return n;
}

/** Whether every dimension is known. */
export function isStatic(shape: readonly number[]): boolean {
  return shape.every((d) => d >= 0);
}

/** `1x3x224x224`; a scalar is `scalar`. */
export function shapeText(shape: readonly number[]): string {
  return shape.length === 0 ? "scalar" : shape.map((d) => d < 0 ? "?" : d).join("x");
}

/** Whether two shapes are equal. */
export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((d, i) => d === b[i]);
}

/** A zero-filled array for `count` elements of `dtype`. */
export function allocate(dtype: DType, count: number): TensorData {
  switch (dtype) {
    case "float32":
      return new Float32Array(count);
    case "float64":
      return new Float64Array(count);
    case "float16":
    case "bfloat16":
    case "uint16":
      return new Uint16Array(count);
    case "int8":
      return new Int8Array(count);
    case "uint8":
    case "bool":
      return new Uint8Array(count);
    case "int16":
      return new Int16Array(count);
    case "int32":
      return new Int32Array(count);
    case "uint32":
      return new Uint32Array(count);
    case "int64":
      return new BigInt64Array(count);
    case "uint64":
      return new BigUint64Array(count);
    case "string":
      return new Array<string>(count).fill("");
  }
}

/** A view of `count` elements of `dtype` on bytes; copies when the bytes are not aligned. */
export function viewOf(dtype: DType, bytes: Uint8Array, count: number): TensorData {
  const size = byteSize(dtype);
  const aligned = bytes.byteOffset % size === 0 && bytes.buffer instanceof ArrayBuffer
    ? bytes
    : bytes.slice();
  const buffer = aligned.buffer as ArrayBuffer;
  const at = aligned.byteOffset;
  switch (dtype) {
    case "float32":
      return new Float32Array(buffer, at, count);
    case "float64":
      return new Float64Array(buffer, at, count);
    case "float16":
    case "bfloat16":
    case "uint16":
      return new Uint16Array(buffer, at, count);
    case "int8":
      return new Int8Array(buffer, at, count);
    case "uint8":
    case "bool":
      return new Uint8Array(buffer, at, count);
    case "int16":
      return new Int16Array(buffer, at, count);
    case "int32":
      return new Int32Array(buffer, at, count);
    case "uint32":
      return new Uint32Array(buffer, at, count);
    case "int64":
      return new BigInt64Array(buffer, at, count);
    case "uint64":
      return new BigUint64Array(buffer, at, count);
    case "string":
      throw new BpuError("internal", "strings have no byte view");
  }
}

/** The bytes behind a tensor (no copy). */
export function bytesOfTensor(t: Tensor): Uint8Array {
  if (Array.isArray(t.data)) throw new BpuError("internal", "a string tensor has no bytes");
  return new Uint8Array(t.data.buffer, t.data.byteOffset, t.data.byteLength);
}

/** Builds a tensor and checks that data and shape agree. */
export function tensor(dtype: DType, shape: readonly number[], data: TensorData): Tensor {
  const n = elementCount(shape);
  if (data.length !== n) {
    throw new BpuError(
      "model",
      `a ${dtype} tensor of shape ${shapeText(shape)} needs ${n} elements, got ${data.length}`,
    );
  }
  return { dtype, shape: [...shape], data };
}

/** float32 tensor from numbers. */
export function f32(shape: readonly number[], values: ArrayLike<number>): Tensor {
  return tensor("float32", shape, Float32Array.from(values));
}

/** 1-D int64 tensor from numbers. */
export function i64(values: readonly number[]): Tensor {
  return tensor("int64", [values.length], BigInt64Array.from(values, BigInt));
}

/** int64 scalar. */
export function i64Scalar(value: number): Tensor {
  return tensor("int64", [], BigInt64Array.of(BigInt(value)));
}

/** Elements as JavaScript numbers (float16 and bfloat16 decoded; int64 must be safe integers). */
export function numbersOf(t: Tensor): number[] | Float32Array | Float64Array {
  const d = t.data;
  if (d instanceof Float32Array || d instanceof Float64Array) return d;
  if (t.dtype === "float16") return Array.from(d as Uint16Array, float16ToNumber);
  if (t.dtype === "bfloat16") return Array.from(d as Uint16Array, bfloat16ToNumber);
  if (Array.isArray(d)) throw new BpuError("model", "a string tensor has no numbers");
  return Array.from(d as ArrayLike<number | bigint>, Number);
}

/** Decodes IEEE 754 binary16 bits. */
export function float16ToNumber(h: number): number {
  const sign = h & 0x8000 ? -1 : 1;
  const e = (h >> 10) & 31;
  const f = h & 1023;
  if (e === 0) return sign * f * 2 ** -24;
  if (e === 31) return f ? NaN : sign * Infinity;
  return sign * (1 + f / 1024) * 2 ** (e - 15);
}

/** Decodes bfloat16 bits. */
export function bfloat16ToNumber(h: number): number {
  return new Float32Array(Uint32Array.of(h << 16).buffer)[0]!;
}

/** Row-major strides in elements. */
export function stridesOf(shape: readonly number[]): number[] {
  const s = new Array<number>(shape.length);
  let n = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    s[i] = n;
    n *= shape[i]!;
  }
  return s;
}
