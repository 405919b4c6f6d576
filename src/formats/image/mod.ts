/**
 * Pictures: decoding, PNG encoding, resizing, colour spaces.
 *
 * @module
 */

export * from "./picture.ts";
export {
  type Decoded,
  type DecodeOptions,
  decodePicture,
  MAX_PIXELS,
  type PictureFormat,
  pictureFormat,
} from "./decode.ts";
export { encodePng } from "./png_encode.ts";
export { applyOrientation } from "./exif.ts";
export { resize, type ResizeMethod } from "./resize.ts";
export { centerCrop, crop, type Letterbox, letterbox, pad } from "./geometry.ts";
export * from "./colour.ts";
