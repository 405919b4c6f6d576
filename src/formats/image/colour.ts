/**
 * Colour spaces: RGB, BGR, grey, YUV (BT.601, full and video range), 4:4:4 and NV12. Pure functions.
 *
 * Chroma is halved by the mean of each 2x2 block and doubled by repetition: what a camera's picture
 * pipeline delivers and what the accelerator does with it. The arithmetic is that of kernels/picture_ref.ts.
 *
 * @module
 */

import { BpuError } from "../../errors.ts";
import { nv12ToYuv444 as repeatKernel } from "../../kernels/colour.ts";
import { nv12ToYuv444Ref } from "../../kernels/colour_ref.ts";
import {
  type FromYuv,
  layout3 as layoutKernel,
  repeat3 as repeatGray,
  rgbToGray as grayKernel,
  rgbToNv12 as nv12Kernel,
  rgbToYuv as yuvKernel,
  swap3 as swapKernel,
  type ToYuv,
  yuvToRgb as rgbKernel,
} from "../../kernels/picture.ts";
import {
  layout3Ref,
  repeat3Ref,
  rgbToGrayRef,
  rgbToNv12Ref,
  rgbToYuvRef,
  swap3Ref,
  yuvToRgbRef,
} from "../../kernels/picture_ref.ts";
import { computed } from "./kernels.ts";
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
  const n = p.width * p.height, float = p.data instanceof Float32Array;
  const data = computed(
    p.data,
    emptyLike(p, p.data.length),
    0,
    (arena, x, y) => swapKernel(arena, { x, y, n, float }),
    (y) => swap3Ref(p.data, y),
  );
  return { ...p, data };
}

/** Factors of the kernels, in the order of their arithmetic. */
function toYuv(range: YuvRange): ToYuv {
  return {
    ...{ red: KR, green: KG, blue: KB, blueSpan: 1.772, redSpan: 1.402 },
    ...{ offset: range.offset, luma: range.luma / 255, chroma: range.chroma / 255 },
  };
}

/** RGB to grey (BT.601 luma); bytes are rounded. */
export function rgbToGray(p: Picture): Picture {
  need(p, 3, "conversion to grey");
  const n = p.width * p.height, f = toYuv(yuvRanges.regular);
  const float = p.data instanceof Float32Array;
  const data = computed(
    p.data,
    emptyLike(p, n),
    0,
    (arena, x, y) => grayKernel(arena, { x, y, n, float }, f),
    (y) => rgbToGrayRef(p.data, y, f, false, 0),
  );
  return { width: p.width, height: p.height, channels: 1, data };
}

/** Grey to three equal channels. */
export function grayToRgb(p: Picture): Picture {
  need(p, 1, "conversion from grey");
  const n = p.width * p.height, float = p.data instanceof Float32Array;
  const data = computed(
    p.data,
    emptyLike(p, p.data.length * 3),
    0,
    (arena, x, y) => repeatGray(arena, { x, y, n, float }),
    (y) => repeat3Ref(p.data, y),
  );
  return { ...p, channels: 3, data };
}

/** RGB to YUV 4:4:4; bytes are rounded. */
export function rgbToYuv444(p: Picture, range: YuvRange = yuvRanges.regular): Picture {
  need(p, 3, "conversion to YUV");
  const n = p.width * p.height, f = toYuv(range), float = p.data instanceof Float32Array;
  const data = computed(
    p.data,
    emptyLike(p, p.data.length),
    0,
    (arena, x, y) => yuvKernel(arena, { x, y, n, float }, f),
    (y) => rgbToYuvRef(p.data, y, f, false, 0),
  );
  return { ...p, data };
}

/** YUV 4:4:4 to RGB; bytes are rounded and saturated. */
export function yuv444ToRgb(p: Picture, range: YuvRange = yuvRanges.regular): Picture {
  need(p, 3, "conversion from YUV");
  const n = p.width * p.height, float = p.data instanceof Float32Array;
  const f: FromYuv = {
    offset: range.offset,
    luma: 255 / range.luma,
    chroma: 255 / range.chroma,
    matrix: YUV_TO_RGB,
  };
  const data = computed(
    p.data,
    emptyLike(p, p.data.length),
    0,
    (arena, x, y) => rgbKernel(arena, { x, y, n, float }, f),
    (y) => yuvToRgbRef(p.data, y, f, false, 0, 0),
  );
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
  const data = computed(
    bytes,
    new Uint8Array(width * height * 3),
    0,
    (arena, x, y) => repeatKernel(arena, { x, y, width, height }),
    (y) => nv12ToYuv444Ref(bytes, y, width, height),
  );
  return picture(width, height, 3, data);
}

/** RGB to NV12. Chroma is averaged before it is rounded. */
export function rgbToNv12(p: Picture, range: YuvRange = yuvRanges.regular): Uint8Array {
  if (p.data instanceof Float32Array) return yuv444ToNv12(rgbToYuv444(p, range));
  need(p, 3, "conversion to nv12");
  const { width, height, data } = p, f = toYuv(range);
  return computed(
    data,
    new Uint8Array(nv12Size(width, height)),
    0,
    (arena, x, y) => nv12Kernel(arena, { x, y, width, height }, f),
    (y) => rgbToNv12Ref(data, y, width, height, f, false, 0),
  );
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

function layout3<T extends Uint8Array | Float32Array>(data: T, n: number, toPlanes: boolean): T {
  return computed(
    data,
    data.slice() as T,
    0,
    (arena, x, y) =>
      layoutKernel(arena, { x, y, n, float: data instanceof Float32Array, toPlanes }),
    (y) => layout3Ref(data, y, toPlanes),
  );
}

/** Interleaved (HWC) to planar (CHW) values. */
export function hwcToChw<T extends Uint8Array | Float32Array>(
  data: T,
  height: number,
  width: number,
  channels: number,
): T {
  const plane = height * width;
  if (channels === 3 && data.length === 3 * plane) return layout3(data, plane, true);
  const out = data.slice() as T;
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
  const plane = height * width;
  if (channels === 3 && data.length === 3 * plane) return layout3(data, plane, false);
  const out = data.slice() as T;
  for (let i = 0; i < plane; i++) {
    for (let c = 0; c < channels; c++) out[i * channels + c] = data[c * plane + i]!;
  }
  return out;
}
