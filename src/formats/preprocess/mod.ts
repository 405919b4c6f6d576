/**
 * Preprocessing of pictures for evaluation: the public transformer set, and the chains of named models.
 *
 * @module
 */

export type { DataFormat, ImageArray, ImageValues } from "./image.ts";
export { runChain, type Transformer } from "./transformer.ts";
export { add, f32ToS8, f32ToU8, mean, normalize, scale } from "./arithmetic.ts";
export { chw2hwc, hwc2chw, reduceChannel, transpose } from "./layout.ts";
export { centerCrop, longSideCrop, paddedCenterCrop, pilCenterCrop } from "./crop.ts";
export {
  type CvInterpolation,
  opencvResize,
  pilResize,
  resize,
  type ResizeOptions,
  shortLongResize,
  shortSideResize,
  type Size,
} from "./resize.ts";
export type { PilFilter } from "./pil_resize.ts";
export { skimageResize, type SplineOrder } from "./spline.ts";
export { pad, padResize, type PadResizeOptions } from "./pad.ts";
export * from "./colour.ts";
export { bgr2nv12, type Nv12Options, nv12ToYuv444, rgb2nv12 } from "./nv12.ts";
export { warpAffine } from "./warp.ts";
export { type ModelChain, modelChains, type ReaderName } from "./chains.ts";
export {
  chainOf,
  type ListedPicture,
  outputName,
  parsePictureList,
  pictureEndings,
  preparePicture,
} from "./prepare.ts";
export { openPicturePool, type PicturePool } from "./pool.ts";
