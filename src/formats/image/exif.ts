/**
 * EXIF orientation: how a camera was held.
 *
 * @module
 */

import { emptyLike, type Picture } from "./picture.ts";

/** Tag 0x0112 of the first directory of a TIFF block; 1 when absent or damaged. */
export function orientationOf(tiff: Uint8Array): number {
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  if (tiff.length < 8) return 1;
  const little = tiff[0] === 0x49 && tiff[1] === 0x49;
  if (!little && !(tiff[0] === 0x4d && tiff[1] === 0x4d)) return 1;
  const start = view.getUint32(4, little);
  if (start + 2 > tiff.length) return 1;
  const count = view.getUint16(start, little);
  for (let k = 0; k < count; k++) {
    const at = start + 2 + 12 * k;
    if (at + 12 > tiff.length) return 1;
    if (view.getUint16(at, little) !== 0x0112) continue;
    const value = view.getUint16(at + 8, little);
    return value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}

/** Turns a picture upright: `orientation` 1 to 8 as EXIF defines it. */
export function applyOrientation(p: Picture, orientation: number): Picture {
  if (orientation <= 1 || orientation > 8) return p;
  const swap = orientation >= 5;
  const width = swap ? p.height : p.width;
  const height = swap ? p.width : p.height;
  const data = emptyLike(p, p.data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      // Where the upright pixel (x, y) stands in the stored picture.
      const u = swap ? y : x;
      const v = swap ? x : y;
      const flipX = orientation === 2 || orientation === 3 || orientation === 7 ||
        orientation === 8;
      const flipY = orientation === 3 || orientation === 4 || orientation === 6 ||
        orientation === 7;
      const sx = flipX ? p.width - 1 - u : u;
      const sy = flipY ? p.height - 1 - v : v;
      for (let c = 0; c < p.channels; c++) {
        data[(y * width + x) * p.channels + c] = p.data[(sy * p.width + sx) * p.channels + c]!;
      }
    }
  }
  return { width, height, channels: p.channels, data };
}
