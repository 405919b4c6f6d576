/**
 * WarpAffineTransformer: the square around an image's centre, scaled to the input of the network
 * (CenterNet). Outside is 0. Image is HWC.
 *
 * @module
 */

import { emptyLike, toByte } from "../image/mod.ts";
import { fromPicture, toPicture } from "./image.ts";
import { type Transformer, transformer } from "./transformer.ts";

/**
 * @param input_shape `[height, width]` of the result
 * @param scale size of the square as a multiple of the longer side
 */
export function warpAffine(
  input_shape: readonly [number, number],
  scale = 1,
): Transformer {
  const name = "WarpAffineTransformer";
  return transformer(name, { input_shape, scale }, (x) => {
    const p = toPicture(x, name);
    const [height, width] = input_shape;
    const side = Math.max(p.width, p.height) * scale;
    // The side of the square becomes the width of the result; the centre stays the centre.
    const step = side / width;
    const c = p.channels;
    const data = emptyLike(p, width * height * c);
    const bytes = data instanceof Uint8Array;
    const at = (px: number, py: number, k: number) =>
      px < 0 || py < 0 || px >= p.width || py >= p.height
        ? 0
        : p.data[(py * p.width + px) * c + k]!;
    for (let y = 0, o = 0; y < height; y++) {
      const sy = Math.floor(p.height / 2) + (y - height / 2) * step;
      const y0 = Math.floor(sy), fy = sy - y0;
      for (let xx = 0; xx < width; xx++) {
        const sx = Math.floor(p.width / 2) + (xx - width / 2) * step;
        const x0 = Math.floor(sx), fx = sx - x0;
        for (let k = 0; k < c; k++, o++) {
          const upper = at(x0, y0, k) * (1 - fx) + at(x0 + 1, y0, k) * fx;
          const lower = at(x0, y0 + 1, k) * (1 - fx) + at(x0 + 1, y0 + 1, k) * fx;
          const v = upper * (1 - fy) + lower * fy;
          data[o] = bytes ? toByte(v) : v;
        }
      }
    }
    return fromPicture({ width, height, channels: c, data });
  });
}
