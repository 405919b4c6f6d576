/**
 * One calibration sample from its file: .npy, raw numbers, or a picture.
 *
 * @module
 */

import { BpuError } from "../../errors.ts";
import {
  byteSize,
  elementCount,
  numbersOf,
  sameShape,
  shapeText,
  type Tensor,
  viewOf,
} from "../../ir/tensor.ts";
import type { CalDataType, CompleteInput } from "../config/types.ts";
import { grayToRgb, rgbToGray, rgbToYuv444, swapRedBlue } from "../image/colour.ts";
import { decodePicture, pictureFormat } from "../image/decode.ts";
import type { Picture } from "../image/picture.ts";
import { resize } from "../image/resize.ts";
import { isNpy, readNpy } from "../npy/npy.ts";
import { axesOf, relayout, strided } from "./axes.ts";
import { type FileSource, readSample } from "./source.ts";

/** Options of {@linkcode loadSample}. */
export interface LoadOptions {
  /** `preprocess_on`: the files are pictures. */
  readonly preprocessOn?: boolean;
  /** Called with what was done to a picture besides decoding. */
  readonly note?: (file: string, text: string) => void;
}

/**
 * Reads one sample as float32 in `input_type_train`, `input_layout_train` and the input's shape, before
 * mean and scale.
 *
 * @throws {BpuError} `calibration` naming the file, both sizes in bytes, the expected shape and dtype.
 */
export async function loadSample(
  source: FileSource,
  file: string,
  input: CompleteInput,
  options: LoadOptions = {},
): Promise<Tensor> {
  const bytes = await readSample(source, file);
  if (options.preprocessOn === true) return await fromPicture(bytes, file, input, options);
  return isNpy(bytes) ? fromNpy(bytes, file, input) : fromRaw(bytes, file, input);
}

function expected(input: CompleteInput, dtype: string): string {
  return `shape ${shapeText(input.shape)} in ${input.layoutTrain}, dtype ${dtype}`;
}

/** Raw little-endian numbers of `cal_data_type`. */
export function fromRaw(bytes: Uint8Array, file: string, input: CompleteInput): Tensor {
  const count = elementCount(input.shape);
  const type = input.calDataType;
  const need = count * byteSize(type);
  if (bytes.length !== need) {
    throw new BpuError(
      "calibration",
      `this calibration sample has ${bytes.length} bytes, input ${input.name} needs ${need} (${
        expected(input, type)
      })`,
      { file, tensor: input.name, hint: rawHint(bytes, count, input) },
    );
  }
  const data = Float32Array.from(viewOf(type, bytes, count) as ArrayLike<number>);
  return finite({ dtype: "float32", shape: [...input.shape], data }, file, input);
}

function rawHint(bytes: Uint8Array, count: number, input: CompleteInput): string {
  if (pictureFormat(bytes) !== undefined) {
    return "It is a picture: set preprocess_on: True, or convert it to raw numbers first.";
  }
  const types: CalDataType[] = ["float32", "uint8", "int16", "int32", "int8"];
  const fits = types.find((t) => bytes.length === count * byteSize(t));
  if (fits !== undefined) {
    return `That is the size of ${fits} data: set cal_data_type: '${fits}'.`;
  }
  if (input.typeTrain !== "gray" && bytes.length * 2 === count) {
    return `That is the size of nv12 data: samples are ${input.typeTrain}, before conversion.`;
  }
  return "Prepare samples of the shape of the model's input, one a file.";
}

/** A .npy file says its type itself; a missing batch dimension is added. */
export function fromNpy(bytes: Uint8Array, file: string, input: CompleteInput): Tensor {
  let read: Tensor;
  try {
    read = readNpy(bytes, file);
  } catch (error) {
    if (!(error instanceof BpuError)) throw error;
    throw new BpuError("calibration", error.message, { ...error.place, tensor: input.name });
  }
  const count = elementCount(input.shape);
  const have = elementCount(read.shape);
  const strip = (shape: readonly number[]) => shape.filter((d) => d !== 1);
  // A flat array has no layout; else the dimensions must agree, apart from ones.
  const fits = have === count &&
    (read.shape.length <= 1 || sameShape(strip(read.shape), strip(input.shape)));
  if (!fits) {
    const size = byteSize(read.dtype);
    throw new BpuError(
      "calibration",
      `this calibration sample holds ${shapeText(read.shape)} ${read.dtype} (${
        have * size
      } bytes), input ${input.name} needs ${count * size} bytes (${expected(input, read.dtype)})`,
      {
        file,
        tensor: input.name,
        hint: have === count
          ? `Transpose it to ${input.layoutTrain} (input_layout_train).`
          : "Prepare samples of the shape of the model's input, one a file.",
      },
    );
  }
  const data = read.data instanceof Float32Array ? read.data : Float32Array.from(numbersOf(read));
  return finite({ dtype: "float32", shape: [...input.shape], data }, file, input);
}

function finite(t: Tensor, file: string, input: CompleteInput): Tensor {
  const data = t.data as Float32Array;
  for (let i = 0; i < data.length; i++) {
    if (Number.isFinite(data[i]!)) continue;
    throw new BpuError(
      "calibration",
      `this calibration sample has ${data[i]} at element ${i}`,
      {
        file,
        tensor: input.name,
        hint: "Samples must be finite numbers; check cal_data_type and how they were made.",
      },
    );
  }
  return t;
}

/**
 * A picture: decoded to RGB, resized like skimage (anti-aliased bilinear) to the input's size, brought to
 * `input_type_train`, 0 to 255, in `input_layout_train`. Every picture of a batch dimension is the same.
 */
async function fromPicture(
  bytes: Uint8Array,
  file: string,
  input: CompleteInput,
  options: LoadOptions,
): Promise<Tensor> {
  if (input.typeTrain === "featuremap") {
    throw new BpuError(
      "calibration",
      `preprocess_on cannot make pictures into input ${input.name}, which is a featuremap`,
      { file, tensor: input.name, hint: "Set preprocess_on: False and give .npy or raw samples." },
    );
  }
  if (pictureFormat(bytes) === undefined) {
    throw new BpuError("calibration", "this is not a JPEG, PNG, BMP or WebP picture", {
      file,
      tensor: input.name,
      hint: "With preprocess_on: True the calibration folder holds pictures only.",
    });
  }
  const decoded = await decodePicture(bytes, { file });
  for (const note of decoded.notes) options.note?.(file, note);
  const axes = axesOf(input.shape, input.layoutTrain);
  const fitted = resize(decoded.picture, axes.w, axes.h, "antialias");
  const converted = inTrainType(fitted, input);
  const one = strided(1, axes.c, axes.h, axes.w, "NHWC");
  const data = new Float32Array(elementCount(input.shape));
  for (let n = 0; n < axes.n; n++) {
    const to = { ...axes, n: 1 };
    relayout(converted.data, one, to, data.subarray(n * axes.sn, (n + 1) * axes.sn));
  }
  return { dtype: "float32", shape: [...input.shape], data };
}

function inTrainType(rgb: Picture, input: CompleteInput): Picture {
  switch (input.typeTrain) {
    case "bgr":
      return swapRedBlue(rgb);
    case "gray":
      return rgbToGray(rgb);
    case "yuv444":
      return rgbToYuv444(rgb);
    default:
      return rgb.channels === 1 ? grayToRgb(rgb) : rgb;
  }
}
