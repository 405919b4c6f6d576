/**
 * TensorProto to {@linkcode Tensor} and back.
 *
 * @module
 */

import { create } from "../../deps.ts";
import { BpuError, type ErrorPlace } from "../../errors.ts";
import {
  byteSize,
  bytesOfTensor,
  type DType,
  type Tensor,
  type TensorData,
} from "../../ir/tensor.ts";
import { dtypeToOnnx } from "./dtypes.ts";
import { type TensorProto, TensorProto_DataLocation, TensorProtoSchema } from "./gen/onnx_pb.ts";
import type { Limits } from "./limits.ts";
import { decodeNarrow, heldDtype, isNarrow, narrowBits } from "./narrow.ts";
import { hasTypedData, rawElements, typedElements } from "./typed_data.ts";

/** What reading tensors needs to know about the file around them. */
export interface TensorSource {
  readonly limits: Limits;
  /** The bytes of a data file beside the model. */
  readonly external: (location: string, place: ErrorPlace) => Uint8Array;
  /** Bytes that typed data of the whole file has been decoded to so far. */
  decoded: number;
}

/**
 * Reads a tensor; every length is checked before anything is allocated. Elements of a narrow type
 * (bfloat16, float8, 4 bits) become the type that holds them.
 */
export function readTensor(p: TensorProto, source: TensorSource, at: ErrorPlace): Tensor {
  const place: ErrorPlace = p.name === "" ? at : { ...at, tensor: p.name };
  const dtype = heldDtype(p.dataType, place);
  const shape = readDims(p.dims, source.limits, place);
  if (p.segment !== undefined) {
    throw new BpuError("unsupported", "tensors in segments are not supported", place);
  }
  // The product stays exact: readDims bounds every dimension and the running product.
  let count = 1;
  for (const d of shape) count *= d;
  const size = byteSize(dtype);
  if (count * Math.max(size, 1) > source.limits.tensorBytes) {
    throw new BpuError(
      "limit",
      `the tensor would take ${
        count * Math.max(size, 1)
      } bytes, the limit is ${source.limits.tensorBytes}`,
      place,
    );
  }
  if (isNarrow(p.dataType)) return { dtype, shape, data: narrow(p, count, source, place) };
  return { dtype, shape, data: clean(dtype, elements(p, dtype, count, source, place)) };
}

/** Elements of a narrow type, read as the words that the file packs them in. */
function narrow(
  p: TensorProto,
  count: number,
  source: TensorSource,
  place: ErrorPlace,
): TensorData {
  const wide = narrowBits(p.dataType) === 16;
  const words = narrowBits(p.dataType) === 4 ? Math.ceil(count / 2) : count;
  source.decoded += count * 4;
  if (source.decoded > source.limits.decodedBytes) {
    throw new BpuError("limit", "the tensors of the model take too much memory", place);
  }
  const packed = elements(p, wide ? "uint16" : "uint8", words, source, place);
  const { buffer, byteOffset, byteLength } = packed as Uint8Array | Uint16Array;
  return decodeNarrow(p.dataType, new Uint8Array(buffer, byteOffset, byteLength), count);
}

function elements(
  p: TensorProto,
  dtype: DType,
  count: number,
  source: TensorSource,
  place: ErrorPlace,
): TensorData {
  const size = byteSize(dtype);
  const raw = (bytes: Uint8Array, what: string): TensorData => {
    if (bytes.length !== count * size) {
      throw new BpuError(
        "format",
        `${what} has ${bytes.length} bytes, a ${dtype} tensor of ${count} elements needs ${
          count * size
        }`,
        place,
      );
    }
    return rawElements(dtype, bytes, count);
  };
  if (dtype === "string") {
    if (p.stringData.length !== count) {
      throw new BpuError(
        "format",
        `the tensor needs ${count} strings, it has ${p.stringData.length}`,
        place,
      );
    }
    return p.stringData.map((b) => decodeText(b, place));
  }
  if (p.dataLocation === TensorProto_DataLocation.EXTERNAL) {
    return raw(externalBytes(p, count * size, source, place), "the external data");
  }
  const fields = p.$unknown ?? [];
  // Some writers set raw_data and leave it empty beside typed data.
  if (p.rawData !== undefined && (p.rawData.length > 0 || !hasTypedData(fields))) {
    return raw(p.rawData, "raw_data");
  }
  source.decoded += count * size;
  if (source.decoded > source.limits.decodedBytes) {
    throw new BpuError("limit", "the tensors of the model take too much memory", place);
  }
  return typedElements(dtype, fields, count, place);
}

/** Booleans are 0 and 1 whatever the file says. */
function clean(dtype: DType, data: TensorData): TensorData {
  if (dtype !== "bool" || !(data instanceof Uint8Array)) return data;
  return data.some((v) => v > 1) ? data.map((v) => v === 0 ? 0 : 1) : data;
}

function readDims(dims: readonly bigint[], limits: Limits, place: ErrorPlace): number[] {
  if (dims.length > limits.rank) {
    throw new BpuError(
      "limit",
      `the tensor has ${dims.length} dimensions, the limit is ${limits.rank}`,
      place,
    );
  }
  let count = 1n;
  for (const d of dims) {
    if (d < 0n) throw new BpuError("format", `the tensor has a negative dimension (${d})`, place);
    if (d > 0x7fffffffn) throw new BpuError("limit", `dimension ${d} is too large`, place);
    count *= d;
    // A later 0 does not excuse it: no real tensor has such a shape.
    if (count > 2n ** 40n) {
      throw new BpuError("limit", `a tensor of shape ${dims.join("x")} is too large`, place);
    }
  }
  return dims.map(Number);
}

/** Bytes of a tensor that lies in another file. */
function externalBytes(
  p: TensorProto,
  want: number,
  source: TensorSource,
  place: ErrorPlace,
): Uint8Array {
  const entries = new Map(p.externalData.map((e) => [e.key, e.value]));
  const location = entries.get("location");
  if (location === undefined) {
    throw new BpuError("format", "the external data of the tensor names no file", place);
  }
  const bytes = source.external(checkedLocation(location, place), place);
  const number = (key: string): number | undefined => {
    const text = entries.get(key);
    if (text === undefined) return undefined;
    const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
    if (Number.isNaN(value)) {
      throw new BpuError("format", `${key} of the external data is not a size: ${text}`, place);
    }
    return value;
  };
  const offset = number("offset") ?? 0;
  const length = number("length") ?? want;
  if (offset + length > bytes.length) {
    throw new BpuError(
      "format",
      `the data of the tensor lies at ${offset}..${
        offset + length
      } of ${location}, which has only ${bytes.length} bytes`,
      { ...place, hint: "The data file is truncated or belongs to another model." },
    );
  }
  return bytes.subarray(offset, offset + length);
}

/**
 * The location of external data as a clean relative path with `/`. Refuses absolute paths, drive
 * letters, URLs and `..`: a model may read only files beside it.
 */
export function checkedLocation(location: string, place: ErrorPlace = {}): string {
  const parts = location.split(/[/\\]/);
  const bad = location === "" || location.includes("\0") || /^[/\\]/.test(location) ||
    /^[A-Za-z][A-Za-z0-9+.-]*:/.test(location) || parts.includes("..");
  if (bad) {
    throw new BpuError(
      "format",
      `the external data file ${JSON.stringify(location)} is not a file beside the model`,
      { ...place, hint: "Only relative paths inside the model's folder are read." },
    );
  }
  return parts.filter((s) => s !== "" && s !== ".").join("/");
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Text of a bytes field; throws `format` on invalid UTF-8. */
export function decodeText(bytes: Uint8Array, place: ErrorPlace): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new BpuError("format", "a string is not valid UTF-8", place);
  }
}

/** Writes a tensor: elements as raw_data (little endian), strings as string_data. */
export function writeTensor(t: Tensor, name = ""): TensorProto {
  const base = { name, dims: t.shape.map(BigInt), dataType: dtypeToOnnx(t.dtype) };
  if (Array.isArray(t.data)) {
    const encoder = new TextEncoder();
    return create(TensorProtoSchema, { ...base, stringData: t.data.map((s) => encoder.encode(s)) });
  }
  const own = bytesOfTensor(t);
  // rawElements turns file order into ours; on a little-endian machine both are the same bytes.
  const flipped = rawElements(t.dtype, own, t.data.length) as Uint8Array;
  const bytes = new Uint8Array(flipped.buffer, flipped.byteOffset, flipped.byteLength);
  return create(TensorProtoSchema, { ...base, rawData: bytes });
}
