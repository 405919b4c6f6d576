/**
 * Colour conversions: BGR2RGB, RGB2BGR, RGB2GRAY, BGR2GRAY, RGB2GRAY_128, RGB2YUV444, BGR2YUV444 and their
 * _128 forms, RGB2YUVBT601VIDEO, BGR2YUVBT601VIDEO, YUVTransformer. BT.601. Bytes are rounded; floats stay
 * as they are, and the _128 forms give float32.
 *
 * @module
 */

import { BpuError } from "../../errors.ts";
import { KB, KG, KR, toByte, type YuvRange, yuvRanges } from "../image/mod.ts";
import { channelsOf, type DataFormat, type ImageArray } from "./image.ts";
import { type Transformer, transformer } from "./transformer.ts";

/** Where the channels are. */
export interface ColourOptions {
  readonly data_format?: DataFormat;
}

/** Values of one pixel in, values of one pixel out. */
type PixelMap = (a: number, b: number, c: number) => readonly number[];

/** Maps every pixel; `rounded` makes bytes of bytes. */
function pixels(
  name: string,
  x: ImageArray,
  format: DataFormat,
  outputs: number,
  map: PixelMap,
  rounded = true,
): ImageArray {
  const { h, w, pixel, channel } = channelsOf(x, format, 3, name);
  const bytes = rounded && x.data instanceof Uint8Array;
  const data = bytes ? new Uint8Array(h * w * outputs) : new Float32Array(h * w * outputs);
  const [step, next] = format === "HWC" ? [outputs, 1] : [1, h * w];
  for (let i = 0; i < h * w; i++) {
    const at = i * pixel;
    const v = map(x.data[at]!, x.data[at + channel]!, x.data[at + 2 * channel]!);
    for (let k = 0; k < outputs; k++) {
      data[i * step + k * next] = bytes ? toByte(v[k]!) : v[k]!;
    }
  }
  return { shape: format === "HWC" ? [h, w, outputs] : [outputs, h, w], data };
}

const luma = (r: number, g: number, b: number) => KR * r + KG * g + KB * b;

function yuv(range: YuvRange, shift: number): PixelMap {
  const scaleY = range.luma / 255, scaleC = range.chroma / 255;
  return (r, g, b) => {
    const y = luma(r, g, b);
    return [
      range.offset + y * scaleY - shift,
      128 + (b - y) / 1.772 * scaleC - shift,
      128 + (r - y) / 1.402 * scaleC - shift,
    ];
  };
}

const reversed = (map: PixelMap): PixelMap => (b, g, r) => map(r, g, b);

function conversion(
  name: string,
  outputs: number,
  map: PixelMap,
  o: ColourOptions,
  rounded = true,
): Transformer {
  const format = o.data_format ?? "CHW";
  return transformer(
    name,
    { data_format: format },
    (x) => pixels(name, x, format, outputs, map, rounded),
  );
}

const swap: PixelMap = (a, b, c) => [c, b, a];
const gray: PixelMap = (r, g, b) => [luma(r, g, b)];
const gray128: PixelMap = (r, g, b) => [luma(r, g, b) - 128];
const full = yuv(yuvRanges.regular, 0), full128 = yuv(yuvRanges.regular, 128);
const video = yuv(yuvRanges.bt601_video, 0);

/** BGR2RGBTransformer. */
export const bgr2rgb = (o: ColourOptions = {}) => conversion("BGR2RGBTransformer", 3, swap, o);
/** RGB2BGRTransformer. */
export const rgb2bgr = (o: ColourOptions = {}) => conversion("RGB2BGRTransformer", 3, swap, o);
/** RGB2GRAYTransformer. */
export const rgb2gray = (o: ColourOptions = {}) => conversion("RGB2GRAYTransformer", 1, gray, o);
/** BGR2GRAYTransformer. */
export const bgr2gray = (o: ColourOptions = {}) =>
  conversion("BGR2GRAYTransformer", 1, reversed(gray), o);
/** RGB2GRAY_128Transformer: grey minus 128. */
export const rgb2gray128 = (o: ColourOptions = {}) =>
  conversion("RGB2GRAY_128Transformer", 1, gray128, o, false);
/** RGB2YUV444Transformer: full range. */
export const rgb2yuv444 = (o: ColourOptions = {}) =>
  conversion("RGB2YUV444Transformer", 3, full, o);
/** BGR2YUV444Transformer: full range. */
export const bgr2yuv444 = (o: ColourOptions = {}) =>
  conversion("BGR2YUV444Transformer", 3, reversed(full), o);
/** RGB2YUV444_128Transformer: full range minus 128. */
export const rgb2yuv444_128 = (o: ColourOptions = {}) =>
  conversion("RGB2YUV444_128Transformer", 3, full128, o, false);
/** BGR2YUV444_128Transformer: full range minus 128. */
export const bgr2yuv444_128 = (o: ColourOptions = {}) =>
  conversion("BGR2YUV444_128Transformer", 3, reversed(full128), o, false);
/** RGB2YUVBT601VIDEOTransformer: video range. */
export const rgb2yuvBt601Video = (o: ColourOptions = {}) =>
  conversion("RGB2YUVBT601VIDEOTransformer", 3, video, o);
/** BGR2YUVBT601VIDEOTransformer: video range. */
export const bgr2yuvBt601Video = (o: ColourOptions = {}) =>
  conversion("BGR2YUVBT601VIDEOTransformer", 3, reversed(video), o);

/** YUVTransformer: full-range YUV 4:4:4 of an image whose channels are in `color_sequence`. */
export function yuvOf(color_sequence: "RGB" | "BGR", o: ColourOptions = {}): Transformer {
  if (color_sequence !== "RGB" && color_sequence !== "BGR") {
    throw new BpuError("usage", "color_sequence is RGB or BGR");
  }
  const map = color_sequence === "RGB" ? full : reversed(full);
  return {
    ...conversion("YUVTransformer", 3, map, o),
    name: `YUVTransformer("${color_sequence}")`,
  };
}
