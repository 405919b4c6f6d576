/**
 * A picture: interleaved rows (HWC), 1 (grey), 3 (RGB) or 4 (RGBA) channels, values 0 to 255.
 *
 * @module
 */

import { BpuError } from "../../errors.ts";

/** Pixels as bytes, or as floats where a resize must not round. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  /** `height * width * channels` values, row by row. */
  readonly data: Uint8Array | Float32Array;
}

/** A picture of bytes. */
export interface BytePicture extends Picture {
  readonly data: Uint8Array;
}

/** A picture of floats. */
export interface FloatPicture extends Picture {
  readonly data: Float32Array;
}

/** Builds a picture and checks its size. */
export function picture<T extends Uint8Array | Float32Array>(
  width: number,
  height: number,
  channels: number,
  data: T,
): Picture & { readonly data: T } {
  if (data.length !== width * height * channels) {
    throw new BpuError(
      "shape",
      `a picture of ${width}x${height}x${channels} needs ${
        width * height * channels
      } values, got ${data.length}`,
    );
  }
  return { width, height, channels, data };
}

/** An array of the kind of `like`. */
export function emptyLike(like: Picture, count: number): Uint8Array | Float32Array {
  return like.data instanceof Uint8Array ? new Uint8Array(count) : new Float32Array(count);
}

/** Rounds half up and saturates to a byte. */
export function toByte(v: number): number {
  return v <= 0 ? 0 : v >= 255 ? 255 : Math.floor(v + 0.5);
}

/** The same picture with bytes, rounded half up. */
export function toBytes(p: Picture): BytePicture {
  if (p.data instanceof Uint8Array) return p as BytePicture;
  const data = new Uint8Array(p.data.length);
  for (let i = 0; i < data.length; i++) data[i] = toByte(p.data[i]!);
  return { ...p, data };
}

/** The same picture with floats. */
export function toFloats(p: Picture): FloatPicture {
  return p.data instanceof Float32Array
    ? p as FloatPicture
    : { ...p, data: Float32Array.from(p.data) };
}
