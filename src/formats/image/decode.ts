/**
 * Pictures from files: JPEG, PNG, BMP, WebP. The result is what PIL reads: stored pixels, without colour
 * management and without the camera's orientation (unless asked for).
 *
 * @module
 */

import { BpuError } from "../../errors.ts";
import { canvasKit } from "./canvaskit.ts";
import { applyOrientation, orientationOf } from "./exif.ts";
import { isJpeg, readJpeg } from "./jpeg.ts";
import { type BytePicture, picture } from "./picture.ts";
import { decodePng, isPng, pngHeader } from "./png.ts";
import { isWebp, readWebp } from "./webp.ts";

/** Formats that can be read. */
export type PictureFormat = "jpeg" | "png" | "bmp" | "webp";

/** Options of {@linkcode decodePicture}. */
export interface DecodeOptions {
  /** Name for messages. */
  readonly file: string;
  /** Turn the picture as EXIF says (OpenCV does, PIL and skimage do not). Default false. */
  readonly orient?: boolean;
  /** Most pixels that are decoded. Default 64 Mi. */
  readonly maxPixels?: number;
}

/** A decoded picture. */
export interface Decoded {
  /** RGB, 3 channels; grey pictures have three equal ones. */
  readonly picture: BytePicture;
  readonly format: PictureFormat;
  /** EXIF orientation of the file (1 is upright), applied or not. */
  readonly orientation: number;
  /** What was done to the pixels besides decoding: one sentence each. */
  readonly notes: readonly string[];
}

/** Default of {@linkcode DecodeOptions.maxPixels}. */
export const MAX_PIXELS = 64 << 20;

/** The format by the first bytes, or undefined. */
export function pictureFormat(bytes: Uint8Array): PictureFormat | undefined {
  if (isJpeg(bytes)) return "jpeg";
  if (isPng(bytes)) return "png";
  if (isWebp(bytes)) return "webp";
  return bytes[0] === 0x42 && bytes[1] === 0x4d && bytes.length >= 26 ? "bmp" : undefined;
}

/**
 * Decodes a picture to RGB.
 *
 * @throws {BpuError} `format` with the file's name when it is not a picture, damaged or truncated;
 * `limit` when it is too large; `unsupported` for 12-bit JPEG and the like.
 */
export async function decodePicture(bytes: Uint8Array, options: DecodeOptions): Promise<Decoded> {
  try {
    const format = pictureFormat(bytes);
    if (format === undefined) {
      throw new BpuError("format", "this is not a JPEG, PNG, BMP or WebP picture");
    }
    const limit = (width: number, height: number) => {
      const max = options.maxPixels ?? MAX_PIXELS;
      if (width * height <= max) return;
      throw new BpuError("limit", `${width}x${height} pixels are more than the limit of ${max}`);
    };
    const { picture, orientation, notes } = await decoders[format](bytes, limit);
    if (orientation === 1) return { picture, format, orientation, notes };
    return options.orient === true
      ? {
        picture: applyOrientation(picture, orientation) as BytePicture,
        format,
        orientation,
        notes: [...notes, `turned upright (EXIF orientation ${orientation})`],
      }
      : {
        picture,
        format,
        orientation,
        notes: [...notes, `EXIF orientation ${orientation} is not applied`],
      };
  } catch (error) {
    if (!(error instanceof BpuError)) throw error;
    throw new BpuError(error.code, error.message, { file: options.file, ...error.place });
  }
}

type Limit = (width: number, height: number) => void;
type Read = Omit<Decoded, "format">;

const decoders: Readonly<
  Record<PictureFormat, (bytes: Uint8Array, limit: Limit) => Promise<Read>>
> = {
  async jpeg(bytes, limit) {
    const info = readJpeg(bytes);
    limit(info.width, info.height);
    if (info.precision !== 8) {
      throw new BpuError(
        "unsupported",
        `this JPEG has ${info.precision} bits a sample, only 8 are read`,
      );
    }
    const notes: string[] = [];
    if (info.components === 1) notes.push("grey is repeated in three channels");
    if (info.components === 4) notes.push("CMYK is converted to RGB without a colour profile");
    const rgba = await skia(info.plain, info.width, info.height, "JPEG");
    return {
      picture: dropAlpha(rgba, info.width, info.height),
      orientation: info.orientation,
      notes,
    };
  },
  async png(bytes, limit) {
    const header = pngHeader(bytes);
    limit(header.width, header.height);
    const image = await decodePng(bytes);
    const notes: string[] = [];
    if (image.channels <= 2) notes.push("grey is repeated in three channels");
    if (image.channels % 2 === 0) notes.push("alpha is dropped");
    if (image.depth === 16) notes.push("16 bits are cut to the high 8");
    const n = image.width * image.height;
    const data = new Uint8Array(n * 3);
    const c = image.channels;
    for (let i = 0; i < n; i++) {
      for (let k = 0; k < 3; k++) data[3 * i + k] = image.data[i * c + (c >= 3 ? k : 0)]!;
    }
    const orientation = image.exif === undefined ? 1 : orientationOf(image.exif);
    return { picture: picture(image.width, image.height, 3, data), orientation, notes };
  },
  async webp(bytes, limit) {
    const info = readWebp(bytes);
    limit(info.width, info.height);
    const notes: string[] = [];
    if (info.alpha) notes.push("alpha is dropped");
    if (info.animated) notes.push("the first frame of an animation is read");
    const rgba = await skia(info.plain, info.width, info.height, "WebP");
    return {
      picture: dropAlpha(rgba, info.width, info.height),
      orientation: info.orientation,
      notes,
    };
  },
  async bmp(bytes, limit) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const old = view.getUint32(14, true) === 12;
    const width = old ? view.getUint16(18, true) : view.getInt32(18, true);
    const height = Math.abs(old ? view.getUint16(20, true) : view.getInt32(22, true));
    if (width <= 0 || height === 0) {
      throw new BpuError("format", "this BMP is damaged: it has no pixels");
    }
    limit(width, height);
    checkBmpSize(view, width, height, old);
    const rgba = await skia(bytes, width, height, "BMP");
    return { picture: dropAlpha(rgba, width, height), orientation: 1, notes: [] };
  },
};

/** The codec fills missing rows with black; an uncompressed BMP must have all its rows. */
function checkBmpSize(view: DataView, width: number, height: number, old: boolean): void {
  const bits = view.getUint16(old ? 24 : 28, true);
  const compression = old || view.byteLength < 34 ? 0 : view.getUint32(30, true);
  if (compression !== 0 && compression !== 3) return;
  const need = view.getUint32(10, true) + Math.floor((width * bits + 31) / 32) * 4 * height;
  if (need > view.byteLength) {
    throw new BpuError(
      "format",
      `this BMP is truncated: it has ${view.byteLength} bytes of at least ${need}`,
    );
  }
}

/** RGBA bytes from the codec, unpremultiplied. */
async function skia(
  bytes: Uint8Array,
  width: number,
  height: number,
  name: string,
): Promise<Uint8Array> {
  const kit = await canvasKit();
  const image = kit.MakeImageFromEncoded(bytes);
  if (image === null) {
    throw new BpuError("format", `this ${name} is damaged or of a kind that cannot be read`);
  }
  try {
    if (image.width() !== width || image.height() !== height) {
      throw new BpuError(
        "format",
        `this ${name} is damaged: its header says ${width}x${height}, its picture is ${image.width()}x${image.height()}`,
      );
    }
    const pixels = image.readPixels(0, 0, {
      width,
      height,
      colorType: kit.ColorType.RGBA_8888,
      alphaType: kit.AlphaType.Unpremul,
      colorSpace: kit.ColorSpace.SRGB,
    });
    if (!(pixels instanceof Uint8Array)) {
      throw new BpuError("format", `the pixels of this ${name} cannot be read`);
    }
    return pixels;
  } finally {
    image.delete();
  }
}

function dropAlpha(rgba: Uint8Array, width: number, height: number): BytePicture {
  const n = width * height;
  const data = new Uint8Array(n * 3);
  for (let i = 0, j = 0; i < n; i++, j += 3) {
    data[j] = rgba[4 * i]!;
    data[j + 1] = rgba[4 * i + 1]!;
    data[j + 2] = rgba[4 * i + 2]!;
  }
  return picture(width, height, 3, data);
}
