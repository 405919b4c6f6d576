/**
 * Cropping, padding and fitting.
 *
 * @module
 */

import { BpuError } from "../../errors.ts";
import { emptyLike, type Picture } from "./picture.ts";
import { resize, type ResizeMethod } from "./resize.ts";

/** The part of a picture from (x, y) on. */
export function crop(p: Picture, x: number, y: number, width: number, height: number): Picture {
  const inside = [x, y, width, height].every(Number.isInteger) && x >= 0 && y >= 0 && width > 0 &&
    height > 0 && x + width <= p.width && y + height <= p.height;
  if (!inside) {
    throw new BpuError(
      "shape",
      `the part ${width}x${height} at (${x}, ${y}) is not inside of a picture of ${p.width}x${p.height}`,
    );
  }
  const row = width * p.channels;
  const data = emptyLike(p, row * height);
  for (let j = 0; j < height; j++) {
    const from = ((y + j) * p.width + x) * p.channels;
    data.set(p.data.subarray(from, from + row), j * row);
  }
  return { width, height, channels: p.channels, data };
}

/** The middle of a picture. An odd rest goes to the right and the bottom. */
export function centerCrop(p: Picture, width: number, height: number): Picture {
  const x = Math.floor((p.width - width) / 2);
  const y = Math.floor((p.height - height) / 2);
  return crop(p, x, y, width, height);
}

/** Adds borders of one value (or one value a channel). */
export function pad(
  p: Picture,
  border: {
    readonly left: number;
    readonly top: number;
    readonly right: number;
    readonly bottom: number;
  },
  value: number | readonly number[],
): Picture {
  const width = p.width + border.left + border.right;
  const height = p.height + border.top + border.bottom;
  const all = Object.values(border);
  if (!all.every((v) => Number.isInteger(v) && v >= 0) || width * height > 1 << 28) {
    throw new BpuError("shape", `borders of ${all.join(", ")} are not possible`);
  }
  const data = emptyLike(p, width * height * p.channels);
  if (typeof value === "number") data.fill(value);
  else for (let i = 0; i < data.length; i++) data[i] = value[i % p.channels] ?? 0;
  const row = p.width * p.channels;
  for (let j = 0; j < p.height; j++) {
    data.set(
      p.data.subarray(j * row, (j + 1) * row),
      ((j + border.top) * width + border.left) * p.channels,
    );
  }
  return { width, height, channels: p.channels, data };
}

/** Where a letterboxed picture stands: original = (fitted - offset) / scale. */
export interface Letterbox {
  readonly picture: Picture;
  readonly scale: number;
  readonly left: number;
  readonly top: number;
}

/** Fits a picture into width x height with its proportions kept and the rest filled. */
export function letterbox(
  p: Picture,
  width: number,
  height: number,
  options: {
    readonly value?: number;
    readonly anchor?: "center" | "top-left";
    readonly method?: ResizeMethod;
  } = {},
): Letterbox {
  const scale = Math.min(width / p.width, height / p.height);
  const w = Math.min(width, Math.max(1, Math.round(p.width * scale)));
  const h = Math.min(height, Math.max(1, Math.round(p.height * scale)));
  const centred = options.anchor !== "top-left";
  const left = centred ? Math.floor((width - w) / 2) : 0;
  const top = centred ? Math.floor((height - h) / 2) : 0;
  const small = resize(p, w, h, options.method ?? "bilinear");
  const border = { left, top, right: width - w - left, bottom: height - h - top };
  return { picture: pad(small, border, options.value ?? 114), scale, left, top };
}
