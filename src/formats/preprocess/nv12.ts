/**
 * RGB2NV12Transformer, BGR2NV12Transformer and NV12ToYUV444Transformer.
 *
 * `rgb_calc`: full range, chroma is the mean of each 2x2 block. `opencv`: OpenCV's I420 (video range,
 * chroma of the top left pixel of each block, 20-bit integers), bit for bit.
 *
 * @module
 */

import { BpuError } from "../../errors.ts";
import { nv12ToYuv444 as repeatChroma, rgbToNv12 } from "../image/mod.ts";
import { channelsOf, type DataFormat, type ImageArray } from "./image.ts";
import { type Transformer, transformer } from "./transformer.ts";

/** Options of the conversions to NV12. */
export interface Nv12Options {
  readonly data_format?: DataFormat;
  readonly cvt_mode?: "rgb_calc" | "opencv";
}

/** Interleaved RGB bytes. */
function rgbBytes(
  x: ImageArray,
  format: DataFormat,
  red: 0 | 2,
  name: string,
): { w: number; h: number; data: Uint8Array } {
  const { h, w, pixel, channel } = channelsOf(x, format, 3, name);
  const data = new Uint8Array(h * w * 3);
  for (let i = 0; i < h * w; i++) {
    for (let k = 0; k < 3; k++) {
      const v = x.data[i * pixel + (red === 0 ? k : 2 - k) * channel]!;
      data[3 * i + k] = v <= 0 ? 0 : v >= 255 ? 255 : Math.floor(v + 0.5);
    }
  }
  return { w, h, data };
}

// OpenCV's fixed-point BT.601 coefficients.
const SHIFT = 20;
const HALF = 1 << (SHIFT - 1);
const [YR, YG, YB] = [269484, 528482, 102760];
const [UR, UG, UB] = [-155188, -305135, 460324];
const [VG, VB] = [-385875, -74448];

const byte = (v: number) => v < 0 ? 0 : v > 255 ? 255 : v;

function opencvNv12(data: Uint8Array, w: number, h: number): Uint8Array {
  const out = new Uint8Array(w * h * 3 / 2);
  for (let i = 0; i < w * h; i++) {
    const [r, g, b] = [data[3 * i]!, data[3 * i + 1]!, data[3 * i + 2]!];
    out[i] = byte((YR * r + YG * g + YB * b + HALF + (16 << SHIFT)) >> SHIFT);
  }
  for (let y = 0; y < h; y += 2) {
    for (let x = 0; x < w; x += 2) {
      const i = 3 * (y * w + x);
      const [r, g, b] = [data[i]!, data[i + 1]!, data[i + 2]!];
      const o = w * h + (y >> 1) * w + x;
      out[o] = byte((UR * r + UG * g + UB * b + HALF + (128 << SHIFT)) >> SHIFT);
      out[o + 1] = byte((UB * r + VG * g + VB * b + HALF + (128 << SHIFT)) >> SHIFT);
    }
  }
  return out;
}

function toNv12(name: string, red: 0 | 2, o: Nv12Options): Transformer {
  const { data_format = "CHW", cvt_mode = "rgb_calc" } = o;
  return transformer(name, { data_format, cvt_mode }, (x) => {
    const { w, h, data } = rgbBytes(x, data_format, red, name);
    if (w % 2 !== 0 || h % 2 !== 0) {
      throw new BpuError("shape", `nv12 needs even width and height, got ${w}x${h}`);
    }
    const bytes = cvt_mode === "opencv"
      ? opencvNv12(data, w, h)
      : rgbToNv12({ width: w, height: h, channels: 3, data });
    return { shape: [h * 3 / 2, w], data: bytes };
  });
}

/** RGB2NV12Transformer. */
export const rgb2nv12 = (o: Nv12Options = {}) => toNv12("RGB2NV12Transformer", 0, o);
/** BGR2NV12Transformer. */
export const bgr2nv12 = (o: Nv12Options = {}) => toNv12("BGR2NV12Transformer", 2, o);

/** NV12ToYUV444Transformer: chroma is repeated. `target_size` is `[height, width]`. */
export function nv12ToYuv444(
  target_size: readonly [number, number],
  options: { readonly yuv444_output_layout?: DataFormat } = {},
): Transformer {
  const name = "NV12ToYUV444Transformer";
  const layout = options.yuv444_output_layout ?? "HWC";
  const [h, w] = target_size;
  return transformer(name, { target_size, yuv444_output_layout: layout }, (x) => {
    if (!(x.data instanceof Uint8Array)) {
      throw new BpuError("shape", `${name} takes bytes`);
    }
    const { data } = repeatChroma(x.data, w, h);
    if (layout === "HWC") return { shape: [h, w, 3], data };
    const planar = new Uint8Array(data.length);
    for (let i = 0; i < h * w; i++) {
      for (let k = 0; k < 3; k++) planar[k * h * w + i] = data[3 * i + k]!;
    }
    return { shape: [3, h, w], data: planar };
  });
}
