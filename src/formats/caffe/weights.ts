/**
 * Reads the weights of a caffemodel at wire level: layer names and blobs only, blobs decoded when they
 * are asked for and straight into a Float32Array. (Generated code would build a `number[]`, 20 to 40
 * times slower and too big for the heap at some hundred MB.)
 *
 * @module
 */

import { BinaryReader, WireType } from "../../deps.ts";
import { BpuError } from "../../errors.ts";
import { elementCount, float16ToNumber, shapeText, viewOf } from "../../ir/tensor.ts";

/** A weight array. */
export interface Blob {
  readonly shape: readonly number[];
  /** Whether the file gave num, channels, height, width: 4-D with leading ones, as Caffe used to. */
  readonly legacy: boolean;
  readonly data: Float32Array;
}

const MAX_LAYERS = 100_000;
const MAX_BLOBS = 1024;
/** Caffe's own bound on the elements of a blob. */
const MAX_ELEMENTS = 2 ** 31 - 1;

/** Field numbers of the public schema. */
const NET = { layersV1: 2, layer: 100 } as const;
const V2 = { name: 1, blobs: 7 } as const;
const V1 = { v0: 1, name: 4, blobs: 6 } as const;
const V0 = { name: 1, blobs: 50 } as const;
const BLOB = {
  num: 1,
  width: 4,
  data: 5,
  shape: 7,
  doubleData: 8,
  // Half precision files of NVCaffe.
  rawType: 10,
  rawData: 12,
} as const;

/** The layers of a caffemodel by name. */
export class Caffemodel {
  readonly #blobs: ReadonlyMap<string, readonly Uint8Array[]>;
  readonly #file: string;

  constructor(blobs: ReadonlyMap<string, readonly Uint8Array[]>, file: string) {
    this.#blobs = blobs;
    this.#file = file;
  }

  /** Layers that the file names, with or without weights. */
  get names(): Iterable<string> {
    return this.#blobs.keys();
  }

  /** Number of blobs of a layer; undefined for a layer that the file does not have. */
  count(layer: string): number | undefined {
    return this.#blobs.get(layer)?.length;
  }

  /**
   * Decodes the blobs of a layer.
   *
   * @throws BpuError `format` when a blob is damaged or its shape does not fit its data
   */
  blobs(layer: string): Blob[] {
    const all = this.#blobs.get(layer) ?? [];
    return all.map((bytes, i) =>
      guarded(this.#file, `blob ${i} of layer ${layer}`, () => readBlob(bytes))
    );
  }
}

/**
 * Indexes a caffemodel (V0, V1 and V2 layers) without decoding any weight.
 *
 * @throws BpuError `format` for a file that is empty, truncated, damaged or no caffemodel
 */
export function readCaffemodel(bytes: Uint8Array, file: string): Caffemodel {
  refuseOtherFormats(bytes, file);
  const layers = new Map<string, Uint8Array[]>();
  let count = 0;
  guarded(file, "the file", () => {
    for (const [field, , part] of fieldsOf(bytes)) {
      if (part === undefined || (field !== NET.layer && field !== NET.layersV1)) continue;
      if (++count > MAX_LAYERS) throw new RangeError(`more than ${MAX_LAYERS} layers`);
      const layer = field === NET.layer
        ? indexLayer(part, V2.name, V2.blobs)
        : indexLayer(part, V1.name, V1.blobs, V1.v0);
      // A net saved with both phases names a layer twice; the one with weights counts.
      const old = layers.get(layer.name);
      if (old === undefined || layer.blobs.length > 0) layers.set(layer.name, layer.blobs);
    }
  });
  if (count === 0) {
    throw new BpuError("format", "this is not a caffemodel: it holds no layers", {
      file,
      hint: "Give the binary file that Caffe saved (.caffemodel).",
    });
  }
  return new Caffemodel(layers, file);
}

function refuseOtherFormats(bytes: Uint8Array, file: string): void {
  const fail = (message: string, hint: string): never => {
    throw new BpuError("format", message, { file, hint });
  };
  if (bytes.length === 0) fail("the caffemodel is empty", "Was the download interrupted?");
  const head = Array.from(bytes.subarray(0, 64), (b) => String.fromCharCode(b)).join("");
  if (head.startsWith("\x89HDF")) {
    fail(
      "the weights are an HDF5 file, which is not supported",
      "Save the net with snapshot_format: BINARYPROTO.",
    );
  }
  if (head.startsWith("version https://git-lfs")) {
    fail("this is a Git LFS pointer, not the file itself", "Run git lfs pull.");
  }
  if (/^\s*(#|name\s*:|input\s*:|layers?\s*\{)/.test(head)) {
    fail("this is a prototxt, not a caffemodel", "Were the two files swapped?");
  }
}

/** Runs a reader; whatever it throws becomes one sentence. */
function guarded<T>(file: string, what: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof BpuError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new BpuError("format", `${what} is truncated, damaged or not a caffemodel: ${why}`, {
      file,
      cause,
    });
  }
}

/** Fields of a message: number, wire type, and the bytes of a length-delimited one. */
function* fieldsOf(
  bytes: Uint8Array,
): Generator<[field: number, type: WireType, part: Uint8Array | undefined, reader: BinaryReader]> {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (type === WireType.LengthDelimited) {
      yield [field, type, partOf(reader, bytes), reader];
      continue;
    }
    // Caffe has no groups; skipping nested ones would recurse as deep as the file wants.
    if (type === WireType.StartGroup || type === WireType.EndGroup) {
      throw new RangeError(`an unexpected group at byte ${reader.pos}`);
    }
    const before = reader.pos;
    yield [field, type, undefined, reader];
    if (reader.pos === before) reader.skip(type, field);
  }
}

/** The bytes of a length-delimited field, without a copy. */
function partOf(reader: BinaryReader, bytes: Uint8Array): Uint8Array {
  const length = reader.uint32();
  const from = reader.pos;
  if (length > bytes.length - from) {
    throw new RangeError(
      `a part of ${length} bytes at byte ${from}, but only ${bytes.length - from} are left`,
    );
  }
  reader.pos = from + length;
  return bytes.subarray(from, from + length);
}

function indexLayer(
  bytes: Uint8Array,
  nameField: number,
  blobField: number,
  v0Field?: number,
): { name: string; blobs: Uint8Array[] } {
  let name = "";
  const blobs: Uint8Array[] = [];
  for (const [field, , part] of fieldsOf(bytes)) {
    if (part === undefined) continue;
    if (field === nameField) name = new TextDecoder().decode(part);
    else if (field === blobField) blobs.push(part);
    else if (field === v0Field) {
      const inner = indexLayer(part, V0.name, V0.blobs);
      name = inner.name;
      blobs.push(...inner.blobs);
    }
    if (blobs.length > MAX_BLOBS) throw new RangeError(`a layer with over ${MAX_BLOBS} blobs`);
  }
  return { name, blobs };
}

function readBlob(bytes: Uint8Array): Blob {
  let shape: number[] | undefined;
  const legacy = [0, 0, 0, 0];
  let hasLegacy = false;
  const runs: Float32Array[] = [];
  let rawType = 1;
  let raw: Uint8Array | undefined;
  for (const [field, type, part, reader] of fieldsOf(bytes)) {
    if (field >= BLOB.num && field <= BLOB.width && type === WireType.Varint) {
      legacy[field - BLOB.num] = dimension(reader);
      hasLegacy = true;
    } else if (field === BLOB.shape && part !== undefined) {
      shape = readShape(part);
    } else if (field === BLOB.data && part !== undefined) {
      if (part.length % 4 !== 0) throw new RangeError(`${part.length} bytes of float data`);
      runs.push(floats(part));
    } else if (field === BLOB.data && type === WireType.Bit32) {
      runs.push(unpackedRun(bytes, reader, 4));
    } else if (field === BLOB.doubleData && part !== undefined) {
      if (part.length % 8 !== 0) throw new RangeError(`${part.length} bytes of double data`);
      runs.push(Float32Array.from(viewOf("float64", part, part.length / 8) as Float64Array));
    } else if (field === BLOB.doubleData && type === WireType.Bit64) {
      runs.push(unpackedRun(bytes, reader, 8));
    } else if (field === BLOB.rawType && type === WireType.Varint) {
      rawType = reader.uint32();
    } else if (field === BLOB.rawData && part !== undefined) {
      raw = part;
    }
  }
  if (raw !== undefined && runs.length === 0) runs.push(rawFloats(raw, rawType));
  const data = joined(runs);
  const dims = shape ?? (hasLegacy ? legacy : [data.length]);
  const want = elementCount(dims);
  if (!(want <= MAX_ELEMENTS)) throw new RangeError(`the shape ${shapeText(dims)} is too large`);
  if (want !== data.length) {
    throw new RangeError(`the shape ${shapeText(dims)} needs ${want} values, got ${data.length}`);
  }
  return { shape: dims, legacy: shape === undefined && hasLegacy, data };
}

function dimension(reader: BinaryReader): number {
  const d = Number(reader.int64());
  if (d < 0 || d > MAX_ELEMENTS) throw new RangeError(`a dimension of ${d}`);
  return d;
}

function readShape(bytes: Uint8Array): number[] {
  const dims: number[] = [];
  for (const [field, type, part, reader] of fieldsOf(bytes)) {
    if (field !== 1) continue;
    if (part !== undefined) {
      const packed = new BinaryReader(part);
      while (packed.pos < packed.len && dims.length <= 32) dims.push(dimension(packed));
    } else if (type === WireType.Varint) dims.push(dimension(reader));
    // Caffe's own bound on the axes of a blob.
    if (dims.length > 32) throw new RangeError("a shape of over 32 axes");
  }
  return dims;
}

/** Little-endian floats as an array of their own: a view would keep the whole file alive. */
function floats(part: Uint8Array): Float32Array {
  return viewOf("float32", part.slice(), part.length / 4) as Float32Array;
}

/**
 * A run of unpacked elements: the same one-byte tag before each. The reader stands behind the first
 * tag and is moved behind the last element.
 */
function unpackedRun(bytes: Uint8Array, reader: BinaryReader, size: 4 | 8): Float32Array {
  const step = size + 1;
  const start = reader.pos;
  const tag = bytes[start - 1];
  let n = 0;
  for (let at = start; at + size <= bytes.length; at += step) {
    n++;
    if (bytes[at + size] !== tag) break;
  }
  if (n === 0) throw new RangeError("premature end of the data");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out = new Float32Array(n);
  for (let i = 0, at = start; i < n; i++, at += step) {
    out[i] = size === 4 ? view.getFloat32(at, true) : view.getFloat64(at, true);
  }
  reader.pos = start + n * step - 1;
  return out;
}

function rawFloats(raw: Uint8Array, type: number): Float32Array {
  const size = type === 0 ? 8 : type === 1 ? 4 : type === 2 ? 2 : 0;
  if (size === 0) throw new RangeError(`raw data of type ${type}`);
  if (raw.length % size !== 0) throw new RangeError(`${raw.length} bytes of raw data`);
  if (type === 1) return floats(raw);
  if (type === 0) {
    return Float32Array.from(viewOf("float64", raw, raw.length / 8) as Float64Array);
  }
  const half = viewOf("float16", raw, raw.length / 2) as Uint16Array;
  return Float32Array.from(half, float16ToNumber);
}

function joined(runs: readonly Float32Array[]): Float32Array {
  if (runs.length === 1) return runs[0]!;
  const all = new Float32Array(runs.reduce((n, r) => n + r.length, 0));
  let at = 0;
  for (const r of runs) {
    all.set(r, at);
    at += r.length;
  }
  return all;
}
