/**
 * Tensor elements as they lie in a file: the typed fields of TensorProto, read from the wire
 * straight into a typed array, and raw little-endian bytes.
 *
 * @module
 */

import { BinaryReader, WireType } from "../../deps.ts";
import { BpuError, type ErrorPlace } from "../../errors.ts";
import { allocate, byteSize, type DType, type TensorData, viewOf } from "../../ir/tensor.ts";

/** A field that the generated decoder left alone. */
export interface WireField {
  readonly no: number;
  readonly wireType: WireType;
  readonly data: Uint8Array;
}

/** Which field of TensorProto holds the elements of a dtype, and how it is encoded. */
function fieldOf(dtype: DType): { no: number; kind: "f32" | "f64" | "int" } | undefined {
  switch (dtype) {
    case "float32":
      return { no: 4, kind: "f32" };
    case "float64":
      return { no: 10, kind: "f64" };
    case "int64":
      return { no: 7, kind: "int" };
    case "uint32":
    case "uint64":
      return { no: 11, kind: "int" };
    case "string":
      return undefined;
    default:
      return { no: 5, kind: "int" };
  }
}

const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/**
 * Elements from raw bytes (little endian in the file). The result never aliases bytes that are not
 * aligned for it. The caller has checked that the length fits.
 */
export function rawElements(dtype: DType, bytes: Uint8Array, count: number): TensorData {
  if (littleEndian) return viewOf(dtype, bytes, count);
  const size = byteSize(dtype);
  const swapped = new Uint8Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) {
    swapped[i - i % size + size - 1 - i % size] = bytes[i]!;
  }
  return viewOf(dtype, swapped, count);
}

/** Whether a tensor has elements in any typed field. */
export function hasTypedData(fields: readonly WireField[]): boolean {
  return fields.some((f) => [4, 5, 7, 10, 11].includes(f.no));
}

/**
 * Reads `count` elements of `dtype` from the typed field that ONNX assigns to the dtype, packed or
 * not. Throws `format` when there are more or fewer, or when another typed field is filled.
 */
export function typedElements(
  dtype: DType,
  fields: readonly WireField[],
  count: number,
  place: ErrorPlace,
): TensorData {
  const field = fieldOf(dtype);
  if (field === undefined) throw new BpuError("internal", "strings are not typed data", place);
  const mine = fields.filter((f) => f.no === field.no);
  let smallest = 0;
  for (const f of mine) {
    // A bound from the bytes alone, so that nothing is allocated for a lie in `dims`.
    smallest += f.data.length;
  }
  if (smallest < count) {
    throw new BpuError("format", `the tensor needs ${count} elements, its data is shorter`, place);
  }
  const out = allocate(dtype, count);
  let at = 0;
  const full = () => {
    if (at >= count) {
      throw new BpuError("format", `the tensor needs ${count} elements, its data is longer`, place);
    }
  };
  for (const f of mine) {
    const packed = f.wireType === WireType.LengthDelimited;
    const reader = new BinaryReader(f.data);
    const end = packed ? reader.uint32() + reader.pos : f.data.length;
    if (field.kind === "int") {
      if (!packed && f.wireType !== WireType.Varint) throw wrongWire(place);
      while (reader.pos < end) {
        full();
        put(out, at++, reader);
      }
      continue;
    }
    const size = field.kind === "f32" ? 4 : 8;
    if (!packed && f.wireType !== (size === 4 ? WireType.Bit32 : WireType.Bit64)) {
      throw wrongWire(place);
    }
    const bytes = f.data.subarray(reader.pos, end);
    if (bytes.length % size !== 0) throw wrongWire(place);
    const n = bytes.length / size;
    if (n > count - at) at = count, full();
    (out as Float32Array | Float64Array).set(
      rawElements(dtype, bytes, n) as Float32Array | Float64Array,
      at,
    );
    at += n;
  }
  if (at < count) {
    throw new BpuError("format", `the tensor needs ${count} elements, its data has ${at}`, place);
  }
  return out;
}

function wrongWire(place: ErrorPlace): BpuError {
  return new BpuError("format", "the tensor's data is damaged", place);
}

/** Stores one varint; typed arrays wrap it to their width, which is what two's complement means. */
function put(out: TensorData, at: number, reader: BinaryReader): void {
  if (out instanceof BigInt64Array) out[at] = BigInt(reader.int64());
  else if (out instanceof BigUint64Array) out[at] = BigInt(reader.uint64());
  else (out as Int32Array)[at] = reader.int32();
}
