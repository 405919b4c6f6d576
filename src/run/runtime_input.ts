/**
 * What a runtime is fed with: raw bytes as a camera or an application delivers them, text, `.npy` or a
 * picture, as the tensor that the program's input takes, and back.
 *
 * @module
 */

import type { ModelTensor } from "../container/tensors.ts";
import { BpuError } from "../errors.ts";
import { runtimeLayout } from "../formats/config/mod.ts";
import { axesOf, relayout, strided } from "../formats/data/axes.ts";
import { fromRuntimeInput, loadSample, toModelInput } from "../formats/data/mod.ts";
import { pictureFormat } from "../formats/image/decode.ts";
import { isNpy, readNpy } from "../formats/npy/npy.ts";
import {
  allocate,
  byteSize,
  bytesOfTensor,
  elementCount,
  numbersOf,
  shapeText,
  viewOf,
} from "../ir/tensor.ts";
import type { Tensor } from "../ir/tensor.ts";

/** Values in the layout of training as the port takes them: its layout, saturated for integers. */
function toPort(given: ArrayLike<number>, t: ModelTensor): Tensor {
  const { dtype, shape } = t.port;
  const c = t.input;
  let values = given;
  if (c !== undefined && t.portLayout !== undefined && t.portLayout !== c.layoutTrain) {
    const moved = new Float32Array(given.length);
    relayout(given, axesOf(c.shape, c.layoutTrain), axesOf(shape, t.portLayout), moved);
    values = moved;
  }
  const data = allocate(dtype, elementCount(shape));
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    for (let i = 0; i < data.length; i++) data[i] = BigInt(Math.round(values[i]!));
  } else if (data instanceof Int8Array) {
    for (let i = 0; i < data.length; i++) {
      data[i] = Math.max(-128, Math.min(127, Math.round(values[i]!)));
    }
  } else (data as Float32Array).set(values);
  return { dtype, shape, data };
}

function sizeError(t: ModelTensor, file: string, have: string): BpuError {
  return new BpuError(
    "file",
    `input ${t.name} takes ${t.byteSize} bytes (${t.type} ${shapeText(t.validShape)} in ` +
      `${t.layout}), the file has ${have}`,
    { file, tensor: t.name, hint: "Give data of the model's runtime input type." },
  );
}

/** Runtime bytes as the port's tensor. Throws BpuError("file") when the size does not fit. */
export function fromRuntimeBytes(bytes: Uint8Array, t: ModelTensor, file: string): Tensor {
  if (bytes.length !== t.byteSize) throw sizeError(t, file, `${bytes.length}`);
  if (t.input !== undefined) {
    return toPort(fromRuntimeInput(bytes, t.input).data as Float32Array, t);
  }
  const count = elementCount(t.port.shape);
  return { ...t.port, data: viewOf(t.port.dtype, bytes, count) };
}

/**
 * A file as the port's tensor: a picture for picture inputs, `.npy` and `.txt` with the values of the
 * runtime input, anything else as raw bytes.
 *
 * @throws BpuError("file") or BpuError("format") when the file does not fit
 */
export async function readRuntimeInput(
  bytes: Uint8Array,
  t: ModelTensor,
  file: string,
): Promise<Tensor> {
  const text = /\.txt$/i.test(file);
  if (text || isNpy(bytes)) {
    const values = text ? parseNumbers(bytes, file) : numbersOf(readNpy(bytes, file));
    if (t.input !== undefined && t.input.typeRt !== "featuremap") {
      return fromRuntimeBytes(Uint8Array.from(values), t, file);
    }
    const count = elementCount(t.port.shape);
    if (values.length !== count) {
      throw sizeError(t, file, `${values.length} values instead of ${count}`);
    }
    if (t.input === undefined) return toPort(values, t);
    const shape = [...t.validShape];
    const given: Tensor = { dtype: "float32", shape, data: Float32Array.from(values) };
    return toPort(fromRuntimeInput(given, t.input).data as Float32Array, t);
  }
  if (pictureFormat(bytes) !== undefined && bytes.length !== t.byteSize) {
    if (t.input === undefined || t.input.typeRt === "featuremap") {
      throw new BpuError("usage", `input ${t.name} is a feature map, not a picture`, {
        file,
        tensor: t.name,
        hint: "Give raw numbers (.bin), .txt or .npy.",
      });
    }
    const source = { list: () => Promise.resolve([]), read: () => Promise.resolve(bytes) };
    const sample = await loadSample(source, file, t.input, { preprocessOn: true });
    return toPort(toModelInput(sample, t.input).data as Float32Array, t);
  }
  return fromRuntimeBytes(bytes, t, file);
}

function parseNumbers(bytes: Uint8Array, file: string): number[] {
  return new TextDecoder().decode(bytes).split(/[\s,]+/).filter((w) => w !== "").map((w) => {
    const v = Number(w);
    if (Number.isNaN(v)) {
      throw new BpuError("format", `'${w.slice(0, 40)}' is not a number`, { file });
    }
    return v;
  });
}

/** The runtime bytes of a port's tensor: the inverse of {@linkcode fromRuntimeBytes}. */
export function toRuntimeBytes(x: Tensor, t: ModelTensor): Uint8Array {
  const c = t.input;
  if (c === undefined) return bytesOfTensor(x);
  if (t.portLayout === undefined) {
    return c.typeRt === "featuremap"
      ? bytesOfTensor(x)
      : Uint8Array.from(numbersOf(x), (v) => v + 128);
  }
  const from = axesOf(t.port.shape, t.portLayout);
  if (c.typeRt === "featuremap") {
    const out = new Float32Array(elementCount(t.port.shape));
    relayout(numbersOf(x), from, strided(from.n, from.c, from.h, from.w, runtimeLayout(c)), out);
    return new Uint8Array(out.buffer);
  }
  const bytes = Uint8Array.from(numbersOf(x), (v) => v + 128);
  if (c.typeRt !== "nv12") {
    const out = new Uint8Array(bytes.length);
    relayout(bytes, from, strided(from.n, from.c, from.h, from.w, runtimeLayout(c)), out);
    return out;
  }
  const { n: batches, h, w, sn, sc, sh, sw } = from;
  const out = new Uint8Array(batches * h * w * 3 / 2);
  let at = 0;
  for (let n = 0; n < batches; n++) {
    for (let y = 0; y < h; y++) {
      for (let x = 0; x < w; x++) out[at++] = bytes[n * sn + y * sh + x * sw]!;
    }
    for (let y = 0; y < h; y += 2) {
      for (let x = 0; x < w; x += 2) {
        const p = n * sn + y * sh + x * sw;
        out[at++] = bytes[p + sc]!;
        out[at++] = bytes[p + 2 * sc]!;
      }
    }
  }
  return out;
}

/** Reproducible random runtime bytes: every byte for pictures and integers, -1..1 for floats. */
export function randomRuntimeBytes(t: ModelTensor, seed: number): Uint8Array {
  const out = new Uint8Array(t.byteSize);
  let a = (seed + 1) >>> 0;
  const next = () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let v = Math.imul(a ^ (a >>> 15), 1 | a);
    v = (v + Math.imul(v ^ (v >>> 7), 61 | v)) ^ v;
    return (v ^ (v >>> 14)) >>> 0;
  };
  if (t.port.dtype === "float32") {
    const f = new Float32Array(out.buffer);
    for (let i = 0; i < f.length; i++) f[i] = next() / 2 ** 31 - 1;
  } else if (byteSize(t.port.dtype) === 1) {
    for (let i = 0; i < out.length; i++) out[i] = next() >>> 24;
  }
  return out;
}
