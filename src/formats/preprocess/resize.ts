/**
 * ResizeTransformer, PILResizeTransformer, ShortSideResizeTransformer, ShortLongResizeTransformer. Images
 * are HWC; sizes are `[height, width]`.
 *
 * @module
 */

import { BpuError } from "../../errors.ts";
import { type BytePicture, type Picture, resize as resizePicture } from "../image/mod.ts";
import { fromPicture, toPicture } from "./image.ts";
import { opencvLinear } from "./opencv_linear.ts";
import { type PilFilter, pilResize as resizePil } from "./pil_resize.ts";
import { skimageResize, type SplineOrder } from "./spline.ts";
import { type Transformer, transformer } from "./transformer.ts";

/** OpenCV's interpolations. */
export type CvInterpolation = "nearest" | "linear" | "cubic" | "area";

/** `[height, width]`. */
export type Size = readonly [number, number];

/** Largest side that is accepted. */
const MAX_SIDE = 1 << 14;

function checked([h, w]: Size): Size {
  const good = (v: number) => Number.isInteger(v) && v > 0 && v <= MAX_SIDE;
  if (good(h) && good(w)) return [h, w];
  throw new BpuError("shape", `an image cannot be resized to ${h}x${w}`);
}

/** Resizes as OpenCV does. */
export function opencvResize(
  p: Picture,
  [h, w]: Size,
  interpolation: CvInterpolation = "linear",
): Picture {
  checked([h, w]);
  if (interpolation !== "linear") {
    return resizePicture(p, w, h, interpolation === "cubic" ? "bicubic" : interpolation);
  }
  if (p.data instanceof Uint8Array) return opencvLinear(p as BytePicture, w, h);
  // The shortcut for an exact half is that of bytes, too: the same four values, the same mean.
  return resizePicture(p, w, h, "bilinear");
}

/** How {@linkcode resize} resizes. */
export interface ResizeOptions {
  /** `skimage` gives floats; `opencv` keeps the type. */
  readonly mode?: "skimage" | "opencv";
  /** Order of the spline (skimage). */
  readonly method?: SplineOrder;
  /** OpenCV's interpolation. */
  readonly interpolation?: CvInterpolation;
}

function resized(p: Picture, size: Size, o: ResizeOptions): Picture {
  return (o.mode ?? "skimage") === "skimage"
    ? skimageResize(p, checked(size)[1], size[0], o.method ?? 1)
    : opencvResize(p, size, o.interpolation);
}

/** ResizeTransformer. */
export function resize(target_size: Size, options: ResizeOptions = {}): Transformer {
  const name = "ResizeTransformer";
  return transformer(
    name,
    { target_size, ...options },
    (x) => fromPicture(resized(toPicture(x, name), target_size, options)),
  );
}

/** Size with the shorter side at `short`; the longer one is cut to a whole number. */
function shortSide(p: Picture, short: number): Size {
  return p.width < p.height
    ? [Math.floor(short * p.height / p.width), short]
    : [short, Math.floor(short * p.width / p.height)];
}

/** PILResizeTransformer: to a size, or (one number) the shorter side, like torchvision. */
export function pilResize(
  size: number | Size,
  options: { readonly interpolation?: PilFilter } = {},
): Transformer {
  const name = "PILResizeTransformer";
  const interpolation = options.interpolation ?? "bilinear";
  return transformer(name, { size, interpolation }, (x) => {
    const p = toPicture(x, name);
    const [h, w] = checked(typeof size === "number" ? shortSide(p, size) : size);
    return fromPicture(resizePil(p, w, h, interpolation));
  });
}

/** ShortSideResizeTransformer: the shorter side becomes `short_size`. */
export function shortSideResize(short_size: number, options: ResizeOptions = {}): Transformer {
  const name = "ShortSideResizeTransformer";
  return transformer(name, { short_size, ...options }, (x) => {
    const p = toPicture(x, name);
    return fromPicture(resized(p, shortSide(p, short_size), options));
  });
}

/** ShortLongResizeTransformer: the shorter side becomes `short`, but the longer at most `long` (OpenCV). */
export function shortLongResize(short_size: number, long_size: number): Transformer {
  const name = "ShortLongResizeTransformer";
  return transformer(name, { short_size, long_size }, (x) => {
    const p = toPicture(x, name);
    const [low, high] = [Math.min(p.width, p.height), Math.max(p.width, p.height)];
    const s = Math.min(short_size / low, long_size / high);
    const size: Size = [
      Math.max(1, Math.round(p.height * s)),
      Math.max(1, Math.round(p.width * s)),
    ];
    return fromPicture(opencvResize(p, size));
  });
}
