/**
 * Colour spaces: RGB, BGR, grey, YUV (BT.601, full and video range), 4:4:4 and NV12. Pure functions.
 *
 * Chroma is halved by the mean of each 2x2 block and doubled by repetition: what a camera's picture
 * pipeline delivers and what the accelerator does with it.
 *
 * @module
 */

import { BpuError } from "../../errors.ts";
import { type BytePicture, emptyLike, type Picture, picture, toByte } from "./picture.ts";

/** BT.601 luma weights. */
export const KR = 0.299, KG = 0.587, KB = 0.114;

/** YUV (chroma centred on 0) to RGB, BT.601 full range: rows R, G, B; columns Y, U, V. */
export const YUV_TO_RGB = [
  [1, 0, 1.402],
  [1, -0.344136, -0.714136],
  [1, 1.772, 0],
] as const;

/** A numeric range of YUV: `regular` is 0 to 255, `bt601_video` is 16 to 235 (chroma 16 to 240). */
export interface YuvRange {
  /** Value of black. */
  readonly offset: number;
  /** Steps from black to white. */
  readonly luma: number;
  /** Steps of chroma from end to end. */
  readonly chroma: number;
}

/** The two ranges, by the names of `input_space_and_range`. */
export const yuvRanges: Readonly<Record<"regular" | "bt601_video", YuvRange>> = {
  regular: { offset: 0, luma: 255, chroma: 255 },
  bt601_video: { offset: 16, luma: 219, chroma: 224 },
};

function need(p: Picture, channels: number, what: string): void {
  if (p.channels === channels) return;
  throw new BpuError("shape", `${what} takes ${channels} channels, the picture has ${p.channels}`);
}

/** RGB to BGR and back. */
export function swapRedBlue(p: Picture): Picture {
  need(p, 3, "swapping red and blue");
  const data = emptyLike(p, p.data.length);
  for (let i = 0; i < data.length; i += 3) {
    data[i] = p.data[i + 2]!;
    data[i + 1] = p.data[i + 1]!;
    data[i + 2] = p.data[i]!;
  }
  return { ...p, data };
}

/** RGB to grey (BT.601 luma); bytes are rounded. */
export function rgbToGray(p: Picture): Picture {
  need(p, 3, "conversion to grey");
  const data = emptyLike(p, p.width * p.height);
  const bytes = data instanceof Uint8Array;
  for (let i = 0, j = 0; i < data.length; i++, j += 3) {
    const y = KR * p.data[j]! + KG * p.data[j + 1]! + KB * p.data[j + 2]!;
    data[i] = bytes ? toByte(y) : y;
  }
  return { width: p.width, height: p.height, channels: 1, data };
}

/** Grey to three equal channels. */
export function grayToRgb(p: Picture): Picture {
  need(p, 1, "conversion from grey");
  const data = emptyLike(p, p.data.length * 3);
  for (let i = 0; i < p.data.length; i++) data.fill(p.data[i]!, 3 * i, 3 * i + 3);
  return { ...p, channels: 3, data };
}

/** RGB to YUV 4:4:4; bytes are rounded. */
export function rgbToYuv444(p: Picture, range: YuvRange = yuvRanges.regular): Picture {
  need(p, 3, "conversion to YUV");
  const data = emptyLike(p, p.data.length);
  const bytes = data instanceof Uint8Array;
  const luma = range.luma / 255, chroma = range.chroma / 255;
  for (let i = 0; i < data.length; i += 3) {
    const r = p.data[i]!, g = p.data[i + 1]!, b = p.data[i + 2]!;
    const y = KR * r + KG * g + KB * b;
    const values = [
      range.offset + y * luma,
      128 + (b - y) / 1.772 * chroma,
      128 + (r - y) / 1.402 * chroma,
    ];
    for (let c = 0; c < 3; c++) data[i + c] = bytes ? toByte(values[c]!) : values[c]!;
  }
  return { ...p, data };
}

/** YUV 4:4:4 to RGB; bytes are rounded and saturated. */
export function yuv444ToRgb(p: Picture, range: YuvRange = yuvRanges.regular): Picture {
  need(p, 3, "conversion from YUV");
  const data = emptyLike(p, p.data.length);
  const bytes = data instanceof Uint8Array;
  const luma = 255 / range.luma, chroma = 255 / range.chroma;
  for (let i = 0; i < data.length; i += 3) {
    const y = (p.data[i]! - range.offset) * luma;
    const u = (p.data[i + 1]! - 128) * chroma;
    const v = (p.data[i + 2]! - 128) * chroma;
    for (let c = 0; c < 3; c++) {
      const row = YUV_TO_RGB[c]!;
      const value = row[0] * y + row[1] * u + row[2] * v;
      data[i + c] = bytes ? toByte(value) : value;
    }
  }
  return { ...p, data };
}

/** Bytes of an NV12 picture. */
export function nv12Size(width: number, height: number): number {
  if (width % 2 !== 0 || height % 2 !== 0) {
    throw new BpuError("shape", `nv12 needs even width and height, got ${width}x${height}`);
  }
  return width * height * 3 / 2;
}

/** YUV 4:4:4 to NV12 bytes: the Y plane, then U and V interleaved at half size (mean of 2x2, rounded). */
export function yuv444ToNv12(p: Picture): Uint8Array {
  need(p, 3, "conversion to nv12");
  const { width: w, height: h, data } = p;
  const out = new Uint8Array(nv12Size(w, h));
  for (let i = 0; i < w * h; i++) out[i] = toByte(data[3 * i]!);
  for (let y = 0; y < h; y += 2) {
    for (let x = 0; x < w; x += 2) {
      for (let c = 1; c < 3; c++) {
        const a = (y * w + x) * 3 + c, b = a + 3 * w;
        const mean = (data[a]! + data[a + 3]! + data[b]! + data[b + 3]!) / 4;
        out[w * h + (y / 2) * w + x + c - 1] = toByte(mean);
      }
    }
  }
  return out;
}

/** NV12 bytes to YUV 4:4:4, chroma repeated. */
export function nv12ToYuv444(bytes: Uint8Array, width: number, height: number): BytePicture {
  const size = nv12Size(width, height);
  if (bytes.length !== size) {
    throw new BpuError(
      "shape",
      `nv12 of ${width}x${height} has ${size} bytes, got ${bytes.length}`,
    );
  }
  const data = new Uint8Array(width * height * 3);
  const plane = width * height;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      const uv = plane + (y >> 1) * width + (x & ~1);
      data[3 * i] = bytes[i]!;
      data[3 * i + 1] = bytes[uv]!;
      data[3 * i + 2] = bytes[uv + 1]!;
    }
  }
  return picture(width, height, 3, data);
}

/** RGB to NV12. Chroma is averaged before it is rounded. */
export function rgbToNv12(p: Picture, range: YuvRange = yuvRanges.regular): Uint8Array {
  const floats = { ...p, data: Float32Array.from(p.data) };
  return yuv444ToNv12(rgbToYuv444(floats, range));
}

/** NV12 to RGB. */
export function nv12ToRgb(
  bytes: Uint8Array,
  width: number,
  height: number,
  range: YuvRange = yuvRanges.regular,
): BytePicture {
  return yuv444ToRgb(nv12ToYuv444(bytes, width, height), range) as BytePicture;
}

/** Interleaved (HWC) to planar (CHW) values. */
export function hwcToChw<T extends Uint8Array | Float32Array>(
  data: T,
  height: number,
  width: number,
  channels: number,
): T {
  const out = data.slice() as T;
  const plane = height * width;
  for (let i = 0; i < plane; i++) {
    for (let c = 0; c < channels; c++) out[c * plane + i] = data[i * channels + c]!;
  }
  return out;
}

/** Planar (CHW) to interleaved (HWC) values. */
export function chwToHwc<T extends Uint8Array | Float32Array>(
  data: T,
  height: number,
  width: number,
  channels: number,
): T {
  const out = data.slice() as T;
  const plane = height * width;
  for (let i = 0; i < plane; i++) {
    for (let c = 0; c < channels; c++) out[i * channels + c] = data[c * plane + i]!;
  }
  return out;
}
