/**
 * CenterCropTransformer, PILCenterCropTransformer, LongSideCropTransformer, PaddedCenterCropTransformer.
 * Images are HWC.
 *
 * @module
 */

import { crop } from "../image/mod.ts";
import { fromPicture, type ImageArray, toPicture } from "./image.ts";
import { type Transformer, transformer } from "./transformer.ts";

function cut(
  x: ImageArray,
  who: string,
  area: (w: number, h: number) => { x: number; y: number; w: number; h: number },
): ImageArray {
  const p = toPicture(x, who);
  const a = area(p.width, p.height);
  return fromPicture(crop(p, a.x, a.y, a.w, a.h));
}

/** Python's round: halves go to the even neighbour. */
function roundHalfEven(v: number): number {
  const r = Math.round(v);
  return Math.abs(v % 1) === 0.5 && r % 2 !== 0 ? r - 1 : r;
}

/** CenterCropTransformer: the square in the middle; an odd rest goes to the right and the bottom. */
export function centerCrop(crop_size: number): Transformer {
  return transformer(
    "CenterCropTransformer",
    { crop_size },
    (x) =>
      cut(x, "CenterCropTransformer", (w, h) => ({
        x: Math.floor((w - crop_size) / 2),
        y: Math.floor((h - crop_size) / 2),
        w: crop_size,
        h: crop_size,
      })),
  );
}

/** PILCenterCropTransformer: as torchvision, halves are rounded to even. */
export function pilCenterCrop(size: number): Transformer {
  return transformer(
    "PILCenterCropTransformer",
    { size },
    (x) =>
      cut(x, "PILCenterCropTransformer", (w, h) => ({
        x: roundHalfEven((w - size) / 2),
        y: roundHalfEven((h - size) / 2),
        w: size,
        h: size,
      })),
  );
}

/** LongSideCropTransformer: the square in the middle whose side is the shorter side. */
export function longSideCrop(): Transformer {
  return transformer(
    "LongSideCropTransformer",
    {},
    (x) =>
      cut(x, "LongSideCropTransformer", (w, h) => {
        const side = Math.min(w, h);
        return { x: Math.floor((w - side) / 2), y: Math.floor((h - side) / 2), w: side, h: side };
      }),
  );
}

/**
 * PaddedCenterCropTransformer: the square of image_size / (image_size + crop_pad) of the shorter side, in
 * the middle (EfficientNet).
 */
export function paddedCenterCrop(
  options: { readonly image_size?: number; readonly crop_pad?: number } = {},
): Transformer {
  const image_size = options.image_size ?? 224, crop_pad = options.crop_pad ?? 32;
  return transformer(
    "PaddedCenterCropTransformer",
    { image_size, crop_pad },
    (x) =>
      cut(x, "PaddedCenterCropTransformer", (w, h) => {
        const side = Math.floor(image_size / (image_size + crop_pad) * Math.min(w, h));
        const offset = (n: number) => Math.floor((n - side + 1) / 2);
        return { x: offset(w), y: offset(h), w: side, h: side };
      }),
  );
}
