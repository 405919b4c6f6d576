/**
 * From a sample in `input_type_train` (or from runtime data in `input_type_rt`) to what the first node of
 * the model takes: the intermediate type. For image types these are the values of the runtime type minus
 * 128 in `input_layout_train`; a featuremap stays as it is.
 *
 * Runtime types are bytes, so values are rounded (half up) and saturated to 0..255 first. For nv12 the
 * chroma really is halved and repeated: calibration sees what the camera delivers.
 *
 * @module
 */

import { BpuError } from "../../errors.ts";
import { elementCount, numbersOf, shapeText, type Tensor } from "../../ir/tensor.ts";
import { type CompleteInput, runtimeLayout } from "../config/types.ts";
import { KB, KG, KR, yuvRanges } from "../image/colour.ts";
import { toByte } from "../image/picture.ts";
import { type Axes, axesOf, relayout, strided } from "./axes.ts";

/**
 * A sample in `input_type_train` and `input_layout_train` as the model's first node takes it.
 *
 * @param sample float32, shape of the input, values before mean and scale (0..255 for images)
 * @returns float32 of the same shape: YUV444_128, RGB_128, BGR_128, GRAY_128 or the featuremap itself
 */
export function toModelInput(sample: Tensor, input: CompleteInput): Tensor {
  if (input.typeRt === "featuremap") return sample;
  const data = numbersOf(sample);
  const axes = axesOf(sample.shape, input.layoutTrain);
  const out = new Float32Array(data.length);
  const channels = input.typeTrain === "gray" ? 1 : 3;
  if (axes.c !== channels) {
    throw new BpuError(
      "calibration",
      `${input.typeTrain} has ${channels} channels, the sample ${
        shapeText(sample.shape)
      } in ${input.layoutTrain} has ${axes.c}`,
      { tensor: input.name },
    );
  }
  const colour = input.typeTrain === "rgb" || input.typeTrain === "bgr";
  if (input.typeRt === "nv12" || input.typeRt === "yuv444") {
    if (colour) rgbToYuv(data, out, axes, input);
    else out.set(data);
    if (input.typeRt === "nv12") halveChroma(out, axes, input.name);
  } else if (input.typeTrain === input.typeRt) out.set(data);
  else swapRedBlue(data, out, axes);
  for (let i = 0; i < out.length; i++) out[i] = toByte(out[i]!) - 128;
  return { dtype: "float32", shape: [...sample.shape], data: out };
}

function rgbToYuv(
  data: ArrayLike<number>,
  out: Float32Array,
  a: Axes,
  input: CompleteInput,
): void {
  const range = yuvRanges[input.spaceAndRange];
  const luma = range.luma / 255, chroma = range.chroma / 255;
  const red = input.typeTrain === "rgb" ? 0 : 2;
  for (let n = 0; n < a.n; n++) {
    for (let h = 0; h < a.h; h++) {
      let at = n * a.sn + h * a.sh;
      for (let w = 0; w < a.w; w++, at += a.sw) {
        const r = data[at + red * a.sc]!, g = data[at + a.sc]!, b = data[at + (2 - red) * a.sc]!;
        const y = KR * r + KG * g + KB * b;
        out[at] = range.offset + y * luma;
        out[at + a.sc] = 128 + (b - y) / 1.772 * chroma;
        out[at + 2 * a.sc] = 128 + (r - y) / 1.402 * chroma;
      }
    }
  }
}

/** Replaces each 2x2 block of U and of V by its mean. */
function halveChroma(out: Float32Array, a: Axes, name: string): void {
  if (a.h % 2 !== 0 || a.w % 2 !== 0) {
    throw new BpuError("shape", `nv12 needs even height and width, got ${a.h}x${a.w}`, {
      tensor: name,
    });
  }
  for (let n = 0; n < a.n; n++) {
    for (let c = 1; c < 3; c++) {
      for (let h = 0; h < a.h; h += 2) {
        for (let w = 0; w < a.w; w += 2) {
          const p = n * a.sn + c * a.sc + h * a.sh + w * a.sw;
          const mean = (out[p]! + out[p + a.sw]! + out[p + a.sh]! + out[p + a.sh + a.sw]!) / 4;
          out[p] =
            out[p + a.sw] =
            out[p + a.sh] =
            out[p + a.sh + a.sw] =
              mean;
        }
      }
    }
  }
}

function swapRedBlue(data: ArrayLike<number>, out: Float32Array, a: Axes): void {
  for (let n = 0; n < a.n; n++) {
    for (let h = 0; h < a.h; h++) {
      let at = n * a.sn + h * a.sh;
      for (let w = 0; w < a.w; w++, at += a.sw) {
        out[at] = data[at + 2 * a.sc]!;
        out[at + a.sc] = data[at + a.sc]!;
        out[at + 2 * a.sc] = data[at]!;
      }
    }
  }
}

/** Bytes that one inference of an input takes at run time. */
export function runtimeByteSize(input: CompleteInput): number {
  const count = elementCount(input.shape);
  if (input.typeRt === "featuremap") return count * 4;
  return input.typeRt === "nv12" ? count / 2 : count;
}

/**
 * Runtime data as the model's first node takes it.
 *
 * @param data bytes in `input_type_rt` and the runtime layout: nv12 (Y plane, then UV; per batch), uint8
 * for yuv444, rgb, bgr and gray, little-endian float32 for a featuremap; or a tensor of these values
 * @returns float32 of the input's shape in `input_layout_train`
 * @throws {BpuError} `file` when the size does not fit
 */
export function fromRuntimeInput(data: Uint8Array | Tensor, input: CompleteInput): Tensor {
  const values = data instanceof Uint8Array ? runtimeValues(data, input) : numbersOf(data);
  const featuremap = input.typeRt === "featuremap";
  const expected = featuremap ? runtimeByteSize(input) / 4 : runtimeByteSize(input);
  if (values.length !== expected) {
    throw new BpuError(
      "file",
      `input ${input.name} takes ${expected} values of ${input.typeRt} (${
        shapeText(input.shape)
      } in ${input.layoutTrain}), got ${values.length}`,
      { tensor: input.name },
    );
  }
  const out = new Float32Array(elementCount(input.shape));
  if (input.shape.length !== 4) {
    out.set(values);
  } else {
    const to = axesOf(input.shape, input.layoutTrain);
    if (input.typeRt === "nv12") expandNv12(values, out, to);
    else relayout(values, strided(to.n, to.c, to.h, to.w, runtimeLayout(input)), to, out);
  }
  if (!featuremap) {
    for (let i = 0; i < out.length; i++) out[i] = toByte(out[i]!) - 128;
  }
  return { dtype: "float32", shape: [...input.shape], data: out };
}

function runtimeValues(bytes: Uint8Array, input: CompleteInput): ArrayLike<number> {
  const need = runtimeByteSize(input);
  if (bytes.length !== need) {
    throw new BpuError(
      "file",
      `input ${input.name} takes ${need} bytes of ${input.typeRt} (${
        shapeText(input.shape)
      } in ${input.layoutTrain}), got ${bytes.length}`,
      { tensor: input.name },
    );
  }
  return input.typeRt === "featuremap" ? new Float32Array(bytes.slice().buffer) : bytes;
}

function expandNv12(values: ArrayLike<number>, out: Float32Array, a: Axes): void {
  const plane = a.h * a.w;
  for (let n = 0; n < a.n; n++) {
    const base = n * plane * 3 / 2;
    for (let h = 0; h < a.h; h++) {
      for (let w = 0; w < a.w; w++) {
        const to = n * a.sn + h * a.sh + w * a.sw;
        const uv = base + plane + (h >> 1) * a.w + (w & ~1);
        out[to] = values[base + h * a.w + w]!;
        out[to + a.sc] = values[uv]!;
        out[to + 2 * a.sc] = values[uv + 1]!;
      }
    }
  }
}

/** What is odd about the values of an image sample: normalised twice, or out of range. */
export function oddRange(sample: Tensor, input: CompleteInput): string | undefined {
  if (input.typeRt === "featuremap") return undefined;
  const data = numbersOf(sample);
  let min = Infinity, max = -Infinity, whole = true;
  for (let i = 0; i < data.length; i++) {
    const v = data[i]!;
    if (v < min) min = v;
    if (v > max) max = v;
    if (v !== Math.floor(v)) whole = false;
  }
  const seen = `values from ${Number(min.toPrecision(4))} to ${Number(max.toPrecision(4))}`;
  const want = `${input.typeTrain} samples have 0 to 255, before mean and scale`;
  if (min < -0.5 || max > 255.5) return `input ${input.name}: ${seen}; ${want}`;
  if (max <= 1 && !whole) return `input ${input.name}: ${seen} look normalised; ${want}`;
  return undefined;
}
