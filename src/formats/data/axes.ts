/**
 * Index arithmetic of 4-D image tensors in either layout.
 *
 * @module
 */

import { BpuError } from "../../errors.ts";
import { shapeText } from "../../ir/tensor.ts";
import type { Layout } from "../config/types.ts";

/** Sizes and strides: element (n, c, h, w) is at n*sn + c*sc + h*sh + w*sw. */
export interface Axes {
  readonly n: number;
  readonly c: number;
  readonly h: number;
  readonly w: number;
  readonly sn: number;
  readonly sc: number;
  readonly sh: number;
  readonly sw: number;
}

/** Axes of a shape that is written in `layout`. */
export function axesOf(shape: readonly number[], layout: Layout): Axes {
  if (shape.length !== 4) {
    throw new BpuError(
      "shape",
      `an image input has 4 dimensions, the shape is ${shapeText(shape)}`,
    );
  }
  const [a, b, c, d] = shape as [number, number, number, number];
  return layout === "NCHW" ? strided(a, b, c, d, "NCHW") : strided(a, d, b, c, "NHWC");
}

/** Axes of given sizes when they are stored in `layout`. */
export function strided(n: number, c: number, h: number, w: number, layout: Layout): Axes {
  return layout === "NCHW"
    ? { n, c, h, w, sn: c * h * w, sc: h * w, sh: w, sw: 1 }
    : { n, c, h, w, sn: c * h * w, sc: 1, sh: w * c, sw: c };
}

/** Copies every element from one storage order to another. */
export function relayout<T extends Uint8Array | Float32Array>(
  data: ArrayLike<number>,
  from: Axes,
  to: Axes,
  out: T,
): T {
  for (let n = 0; n < from.n; n++) {
    for (let c = 0; c < from.c; c++) {
      for (let h = 0; h < from.h; h++) {
        let a = n * from.sn + c * from.sc + h * from.sh;
        let b = n * to.sn + c * to.sc + h * to.sh;
        for (let w = 0; w < from.w; w++, a += from.sw, b += to.sw) out[b] = data[a]!;
      }
    }
  }
  return out;
}
