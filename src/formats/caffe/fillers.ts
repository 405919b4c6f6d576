/**
 * Fillers with a fixed result, which stand in for weights that a caffemodel leaves out.
 *
 * @module
 */

import { elementCount } from "../../ir/tensor.ts";
import type { FillerParameter } from "./gen/caffe_pb.ts";

/**
 * What a `constant` or `bilinear` filler writes into a blob; undefined for the random ones, and for
 * shapes that the filler refuses. The caller bounds the size.
 */
export function fill(filler: FillerParameter, shape: readonly number[]): Float32Array | undefined {
  const count = elementCount(shape);
  if (filler.type === "constant") return new Float32Array(count).fill(filler.value);
  const [h, w] = [shape[2], shape[3]];
  if (filler.type !== "bilinear" || shape.length !== 4 || h !== w || w === undefined) {
    return undefined;
  }
  // A tent over the kernel: the weights of linear interpolation by the factor w / 2 rounded up.
  const f = Math.ceil(w / 2);
  const c = (w - 1) / (2 * f);
  const tent = (i: number): number => 1 - Math.abs(i / f - c);
  return Float32Array.from({ length: count }, (_, i) => tent(i % w) * tent(Math.floor(i / w) % w));
}
