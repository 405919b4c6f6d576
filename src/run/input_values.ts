/**
 * Values as callers have them to what a model's input takes: bytes of pictures lose 128, integers that
 * fit are widened, and nothing is converted that would lose a value.
 *
 * | input   | int8        | uint8               | float32                          |
 * | ------- | ----------- | ------------------- | -------------------------------- |
 * | int8    | as it is    | minus the offset    | minus the offset, whole numbers  |
 * | uint8   | plus offset | as it is            | refused                          |
 * | float32 | as it is    | minus the offset    | minus the offset                 |
 *
 * For float32 inputs the offset counts for pictures only (inputs with a preprocessing node).
 *
 * @module
 */

import { BpuError } from "../errors.ts";
import type { Port } from "../ir/graph.ts";
import { elementCount, sameShape, shapeText, tensor } from "../ir/tensor.ts";
import type { DType, Tensor, TensorData } from "../ir/tensor.ts";

/** Values of one input: a tensor, or an array in row-major order of the input's shape. */
export type FeedValue = Tensor | Exclude<TensorData, string[]>;

function dtypeOf(data: Exclude<TensorData, string[]>): DType {
  if (data instanceof Float32Array) return "float32";
  if (data instanceof Int8Array) return "int8";
  if (data instanceof Uint8Array) return "uint8";
  if (data instanceof Float64Array) return "float64";
  if (data instanceof Int16Array) return "int16";
  if (data instanceof Uint16Array) return "uint16";
  if (data instanceof Int32Array) return "int32";
  if (data instanceof Uint32Array) return "uint32";
  return data instanceof BigInt64Array ? "int64" : "uint64";
}

/** Shape of `count` values for an input with at most one free dimension. */
function shapeFor(port: Port, count: number): readonly number[] {
  const free = port.shape.filter((d) => d < 0).length;
  const fixed = elementCount(port.shape.filter((d) => d >= 0));
  if (free === 0 && fixed === count) return port.shape;
  if (free === 1 && fixed > 0 && count % fixed === 0) {
    return port.shape.map((d) => d < 0 ? count / fixed : d);
  }
  throw new BpuError(
    "usage",
    `input ${port.name} has the shape ${shapeText(port.shape)}, got ${count} values`,
    { tensor: port.name, hint: "Give a tensor with its shape, or as many values as it has." },
  );
}

function asTensor(value: FeedValue, port: Port): Tensor {
  if (ArrayBuffer.isView(value)) {
    // A Uint8Array serves a bool input too.
    const dtype = port.dtype === "bool" && value instanceof Uint8Array ? "bool" : dtypeOf(value);
    return { dtype, shape: shapeFor(port, value.length), data: value };
  }
  const { dtype, shape, data } = value;
  const fits = shape.length === port.shape.length &&
    port.shape.every((d, i) => d < 0 || d === shape[i]);
  if (!fits) {
    throw new BpuError(
      "usage",
      `input ${port.name} takes the shape ${shapeText(port.shape)}, got ${shapeText(shape)}`,
      { tensor: port.name, hint: hintFor(port, shape) },
    );
  }
  return tensor(dtype, shape, data);
}

function hintFor(port: Port, shape: readonly number[]): string {
  const [n, c, h, w] = port.shape;
  if (shape.length === 4 && sameShape(shape, [n!, h!, w!, c!])) {
    return "The data is NHWC and the input NCHW: transpose it.";
  }
  if (shape.length === 4 && sameShape(shape, [n!, w!, c!, h!])) {
    return "The data is NCHW and the input NHWC: transpose it.";
  }
  return `Resize or reshape the data to ${shapeText(port.shape)}.`;
}

function loses(port: Port, have: DType, why: string, hint: string): BpuError {
  return new BpuError("usage", `input ${port.name} takes ${port.dtype}, got ${have}: ${why}`, {
    tensor: port.name,
    hint,
  });
}

/** Whole numbers of -128..127, `values` minus `offset`. */
function toInt8(t: Tensor, port: Port, offset: number): Int8Array {
  const values = t.data as Uint8Array | Float32Array;
  const out = new Int8Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const v = values[i]! - offset;
    out[i] = v;
    if (out[i] !== v) {
      throw loses(
        port,
        t.dtype,
        `${values[i]} minus input_offset ${offset} is no int8`,
        offset === 0
          ? "Give int8 values, or the default input_offset for values of 0..255."
          : "Give uint8 values of 0..255, or shifted int8 values.",
      );
    }
  }
  return out;
}

function toFloat(t: Tensor, offset: number): Float32Array {
  const out = Float32Array.from(t.data as Uint8Array | Int8Array | Float32Array);
  // Bytes that are int8 have been shifted by the caller already.
  if (t.dtype !== "int8" && offset !== 0) {
    for (let i = 0; i < out.length; i++) {
      out[i]! -= offset;
    }
  }
  return out;
}

/**
 * The tensor that an input takes.
 *
 * @param offset what is subtracted from picture values (128)
 * @param picture whether the offset counts for a float32 input
 * @throws BpuError `usage` when shapes differ, or when a conversion would lose a value
 */
export function inputValue(
  value: FeedValue,
  port: Port,
  offset: number,
  picture: boolean,
): Tensor {
  const t = asTensor(value, port);
  const small = t.dtype === "int8" || t.dtype === "uint8" || t.dtype === "float32";
  const make = (data: TensorData): Tensor => ({ dtype: port.dtype, shape: t.shape, data });
  if (port.dtype === "float32" && small) {
    return t.dtype === "float32" && (!picture || offset === 0)
      ? t
      : make(toFloat(t, picture ? offset : 0));
  }
  if (t.dtype === port.dtype) return t;
  if (port.dtype === "int8" && small) return make(toInt8(t, port, offset));
  if (port.dtype === "uint8" && t.dtype === "int8") {
    const out = new Uint8Array(t.data.length);
    (t.data as Int8Array).forEach((v, i) => {
      out[i] = v + offset;
      if (out[i] !== v + offset) {
        throw loses(port, "int8", `${v} plus input_offset ${offset} is no uint8`, "Give uint8.");
      }
    });
    return make(out);
  }
  const accepted = port.dtype === "int8" || port.dtype === "float32"
    ? "int8, uint8 or float32"
    : port.dtype === "uint8"
    ? "int8 or uint8"
    : port.dtype;
  throw loses(port, t.dtype, "values could be lost", `Convert the data to ${accepted} first.`);
}
