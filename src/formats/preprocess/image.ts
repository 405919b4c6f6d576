/**
 * Images as preprocessing sees them: an array with a shape, like a numpy array.
 *
 * @module
 */

import { BpuError } from "../../errors.ts";
import type { Picture } from "../image/mod.ts";

/** Values of an image. */
export type ImageValues = Uint8Array | Int8Array | Float32Array;

/** An image: `[H, W, C]`, `[C, H, W]`, or NV12 as `[H * 3 / 2, W]`. */
export interface ImageArray {
  readonly shape: readonly number[];
  readonly data: ImageValues;
}

/** Order of the dimensions. */
export type DataFormat = "HWC" | "CHW";

/** Sizes and strides of an image. */
export interface Dims {
  readonly h: number;
  readonly w: number;
  readonly c: number;
  /** Distance of two pixels that lie side by side. */
  readonly pixel: number;
  /** Distance of two channels of a pixel. */
  readonly channel: number;
}

/** Sizes of a three-dimensional image; throws BpuError("shape") for anything else. */
export function dimsOf(x: ImageArray, format: DataFormat, who: string): Dims {
  const [a, b, d] = x.shape;
  if (x.shape.length !== 3 || a === undefined || b === undefined || d === undefined) {
    throw new BpuError("shape", `${who} takes an image of 3 dimensions, not ${x.shape.join("x")}`);
  }
  return format === "HWC"
    ? { h: a, w: b, c: d, pixel: d, channel: 1 }
    : { h: b, w: d, c: a, pixel: 1, channel: b * d };
}

/** As {@linkcode dimsOf}, with a fixed number of channels. */
export function channelsOf(x: ImageArray, format: DataFormat, c: number, who: string): Dims {
  const d = dimsOf(x, format, who);
  if (d.c === c) return d;
  throw new BpuError("shape", `${who} takes ${c} channels in ${format}, got ${x.shape.join("x")}`, {
    hint: "Check data_format and the order of the transformers.",
  });
}

/** The values as float32 (no copy where they are). */
export function floatsOf(x: ImageArray): Float32Array {
  return x.data instanceof Float32Array ? x.data : Float32Array.from(x.data);
}

/** An image in HWC as a picture; signed bytes become floats. */
export function toPicture(x: ImageArray, who: string): Picture {
  const { h, w, c } = dimsOf(x, "HWC", who);
  const data = x.data instanceof Int8Array ? Float32Array.from(x.data) : x.data;
  return { width: w, height: h, channels: c, data };
}

/** A picture as an image in HWC. */
export function fromPicture(p: Picture): ImageArray {
  return { shape: [p.height, p.width, p.channels], data: p.data };
}
