/**
 * PadResizeTransformer (letterbox) and PadTransformer. Images are HWC.
 *
 * @module
 */

import { BpuError } from "../../errors.ts";
import { pad as padPicture } from "../image/mod.ts";
import { fromPicture, toPicture } from "./image.ts";
import { type CvInterpolation, opencvResize, type Size } from "./resize.ts";
import { type Transformer, transformer } from "./transformer.ts";

/** Options of {@linkcode padResize}. */
export interface PadResizeOptions {
  readonly pad_value?: number;
  /** `boundary`: the image is in the middle; `bottom_right`: the border is there only. */
  readonly pad_position?: "boundary" | "bottom_right";
  readonly interpolation?: CvInterpolation;
}

/** PadResizeTransformer: fits an image into `[height, width]` with its proportions, the rest is filled. */
export function padResize(target_size: Size, options: PadResizeOptions = {}): Transformer {
  const name = "PadResizeTransformer";
  const { pad_value = 127, pad_position = "boundary" } = options;
  return transformer(name, { target_size, pad_value, pad_position }, (x) => {
    const p = toPicture(x, name);
    const [height, width] = target_size;
    const s = Math.min(height / p.height, width / p.width);
    const w = Math.max(1, Math.floor(p.width * s)), h = Math.max(1, Math.floor(p.height * s));
    const middle = pad_position === "boundary";
    const left = middle ? Math.floor((width - w) / 2) : 0;
    const top = middle ? Math.floor((height - h) / 2) : 0;
    const small = opencvResize(p, [h, w], options.interpolation);
    const border = { left, top, right: width - w - left, bottom: height - h - top };
    return fromPicture(padPicture(small, border, pad_value));
  });
}

/** PadTransformer: zeros at the right and the bottom, up to the next multiple of the divisor. */
export function pad(
  options: { readonly size_divisor?: number; readonly target_size?: number } = {},
): Transformer {
  const name = "PadTransformer";
  const { size_divisor = 128, target_size = 512 } = options;
  return transformer(name, { size_divisor, target_size }, (x) => {
    const p = toPicture(x, name);
    const side = Math.ceil(target_size / size_divisor) * size_divisor;
    if (p.width > side || p.height > side) {
      throw new BpuError(
        "shape",
        `${name} cannot pad ${p.width}x${p.height} to ${side}x${side}`,
        { hint: "Resize the image before it is padded." },
      );
    }
    const border = { left: 0, top: 0, right: side - p.width, bottom: side - p.height };
    return fromPicture(padPicture(p, border, 0));
  });
}
