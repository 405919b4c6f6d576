/**
 * NumPy's `.npy` files: one array each. Reads versions 1 to 3, either byte order, C and Fortran
 * order; writes version 1, little endian, C order.
 *
 * The format is described in numpy's `numpy.lib.format`.
 *
 * @module
 */

import { BpuError } from "../../errors.ts";
import {
  allocate,
  byteSize,
  bytesOfTensor,
  type DType,
  elementCount,
  shapeText,
  stridesOf,
  type Tensor,
  type TensorData,
  viewOf,
} from "../../ir/tensor.ts";

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // "\x93NUMPY"

/** numpy kind and size to ours; the letter before them is the byte order. */
const kinds: ReadonlyMap<string, DType> = new Map([
  ["b1", "bool"],
  ["i1", "int8"],
  ["u1", "uint8"],
  ["i2", "int16"],
  ["u2", "uint16"],
  ["i4", "int32"],
  ["u4", "uint32"],
  ["i8", "int64"],
  ["u8", "uint64"],
  ["f2", "float16"],
  ["f4", "float32"],
  ["f8", "float64"],
]);
const codes: ReadonlyMap<DType, string> = new Map([...kinds].map(([code, dtype]) => [dtype, code]));

const littleMachine = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

interface Header {
  readonly dtype: DType;
  readonly little: boolean;
  readonly fortran: boolean;
  readonly shape: readonly number[];
  /** Where the elements begin. */
  readonly offset: number;
}

/** Whether bytes begin like an npy file. */
export function isNpy(bytes: Uint8Array): boolean {
  return magic.every((b, i) => bytes[i] === b);
}

/**
 * Reads an array. The result is row-major whatever the order in the file; its data may be a view on
 * `bytes` where no conversion is needed.
 *
 * Throws `format` when the bytes are no npy file, are damaged or of the wrong length, and `unsupported`
 * for arrays that are no numbers (objects, records, strings, complex).
 *
 * @example
 * ```ts
 * import { readNpy, writeNpy } from "./npy.ts";
 * import { f32 } from "../../ir/tensor.ts";
 *
 * const bytes = writeNpy(f32([2, 2], [1, 2, 3, 4]));
 * console.log(readNpy(bytes).shape); // [ 2, 2 ]
 * ```
 */
export function readNpy(bytes: Uint8Array, file?: string): Tensor {
  const h = readHeader(bytes, file);
  const count = elementCount(h.shape);
  const size = byteSize(h.dtype);
  const have = bytes.length - h.offset;
  if (have !== count * size) {
    throw new BpuError(
      "format",
      `a ${h.dtype} array of shape ${shapeText(h.shape)} takes ${
        count * size
      } bytes, the file has ${have}`,
      { file, hint: have < count * size ? "The file is truncated." : "The file has extra bytes." },
    );
  }
  let raw = bytes.subarray(h.offset);
  if (size > 1 && h.little !== littleMachine) raw = swapped(raw, size);
  let data = viewOf(h.dtype, raw, count);
  if (h.dtype === "bool") data = (data as Uint8Array).map((v) => v === 0 ? 0 : 1);
  if (h.fortran && h.shape.length > 1) data = toRowMajor(h.dtype, h.shape, data);
  return { dtype: h.dtype, shape: h.shape, data };
}

function readHeader(bytes: Uint8Array, file: string | undefined): Header {
  const damaged = (what: string) =>
    new BpuError("format", `not an npy file: ${what}`, {
      file,
      hint: "Save the array with numpy.save.",
    });
  if (!isNpy(bytes)) {
    const zip = bytes[0] === 0x50 && bytes[1] === 0x4b;
    throw damaged(zip ? "it is a zip archive (npz)" : "it begins differently");
  }
  const version = bytes[6];
  if (version === undefined || version < 1 || version > 3) {
    throw damaged(`version ${version ?? "?"} is not known`);
  }
  const wide = version > 1;
  const from = wide ? 12 : 10;
  if (bytes.length < from) throw damaged("it is truncated");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = wide ? view.getUint32(8, true) : view.getUint16(8, true);
  if (from + length > bytes.length) throw damaged("it is truncated");
  if (length > 65536) throw damaged("its header is too long");
  const text = new TextDecoder(version === 3 ? "utf-8" : "latin1").decode(
    bytes.subarray(from, from + length),
  );
  const order = /['"]fortran_order['"]\s*:\s*(True|False)/.exec(text);
  const shape = /['"]shape['"]\s*:\s*\(([\d\s,L]*)\)/.exec(text);
  const descr = /['"]descr['"]\s*:\s*(?:['"]([^'"]*)['"]|(\[))/.exec(text);
  if (order === null || shape === null || descr === null) {
    throw damaged("its header cannot be read");
  }
  const dims = shape[1]!.split(",").map((s) => s.trim().replace(/L$/, "")).filter((s) => s !== "");
  const sizes = dims.map(Number);
  let count = 1;
  for (const d of sizes) {
    count *= d;
    if (!Number.isInteger(d) || d > 0x7fffffff || count > 2 ** 40) {
      throw new BpuError("limit", `an array of shape ${dims.join("x")} is too large`, { file });
    }
  }
  if (sizes.length > 32) throw new BpuError("limit", "the array has too many dimensions", { file });
  const [dtype, little] = readType(descr[1], file);
  return { dtype, little, fortran: order[1] === "True", shape: sizes, offset: from + length };
}

/** dtype and byte order of a descr such as `<f4`. */
function readType(descr: string | undefined, file: string | undefined): [DType, boolean] {
  const m = /^([<>|=])(\w+)$/.exec(descr ?? "");
  const dtype = m === null ? undefined : kinds.get(m[2]!);
  if (m === null || dtype === undefined) {
    const what = descr === undefined
      ? "records"
      : descr.includes("O")
      ? "Python objects"
      : `elements of type ${descr}`;
    throw new BpuError("unsupported", `arrays of ${what} are not supported`, {
      file,
      hint: "Convert the array first, for example array.astype(numpy.float32).",
    });
  }
  return [dtype, m[1] === "<" || (m[1] !== ">" && littleMachine)];
}

/** A copy with the bytes of each element turned round. */
function swapped(bytes: Uint8Array, size: number): Uint8Array {
  const out = new Uint8Array(bytes.length);
  for (let i = 0; i < bytes.length; i += size) {
    for (let k = 0; k < size; k++) out[i + k] = bytes[i + size - 1 - k]!;
  }
  return out;
}

/** Elements of a column-major array in row-major order. */
function toRowMajor(dtype: DType, shape: readonly number[], from: TensorData): TensorData {
  const count = from.length;
  const to = allocate(dtype, count);
  // In Fortran order the first index runs fastest: its strides are those of the reversed shape.
  const strides = stridesOf([...shape].reverse()).reverse();
  const index = new Array<number>(shape.length).fill(0);
  let at = 0;
  for (let i = 0; i < count; i++) {
    (to as unknown as number[])[i] = (from as unknown as number[])[at]!;
    for (let d = shape.length - 1; d >= 0; d--) {
      at += strides[d]!;
      if (++index[d]! < shape[d]!) break;
      at -= strides[d]! * shape[d]!;
      index[d] = 0;
    }
  }
  return to;
}

/**
 * Writes an array as numpy does: version 1, little endian, C order, elements aligned to 64 bytes.
 * Throws `unsupported` for strings and bfloat16, which numpy files cannot hold.
 */
export function writeNpy(t: Tensor): Uint8Array {
  const code = codes.get(t.dtype);
  if (code === undefined) {
    throw new BpuError("unsupported", `a ${t.dtype} tensor cannot be written as npy`);
  }
  const size = byteSize(t.dtype);
  const shape = t.shape.length === 1 ? `(${t.shape[0]},)` : `(${t.shape.join(", ")})`;
  const head = `{'descr': '${size === 1 ? "|" : "<"}${code}', 'fortran_order': False, ` +
    `'shape': ${shape}, }`;
  const length = Math.ceil((10 + head.length + 1) / 64) * 64 - 10;
  const own = bytesOfTensor(t);
  const data = size > 1 && !littleMachine ? swapped(own, size) : own;
  const out = new Uint8Array(10 + length + data.length);
  out.set(magic);
  out[6] = 1;
  new DataView(out.buffer).setUint16(8, length, true);
  out.set(new TextEncoder().encode(head.padEnd(length - 1) + "\n"), 10);
  out.set(data, 10 + length);
  return out;
}
