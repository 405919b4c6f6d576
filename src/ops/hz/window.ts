/**
 * Geometry of windowed operators (convolution, pooling) as the kernels take it.
 *
 * @module
 */

import { intsAttr } from "../../ir/graph.ts";
import type { Node } from "../../ir/graph.ts";
import type { PoolShape } from "../../kernels/pool.ts";
import type { StepContext } from "../op.ts";

/** Kernel, stride, padding and dilation of a 2-D window. */
export interface Window {
  readonly kernelH: number;
  readonly kernelW: number;
  readonly strideH: number;
  readonly strideW: number;
  readonly padTop: number;
  readonly padLeft: number;
  readonly padBottom: number;
  readonly padRight: number;
  readonly dilationH: number;
  readonly dilationW: number;
}

/** Window of a node whose attributes are all explicit (`pads` of four values, no auto_pad). */
export function windowOf(n: Node, kernel: readonly number[]): Window {
  const [padTop, padLeft, padBottom, padRight] = intsAttr(n, "pads", [0, 0, 0, 0]);
  const [strideH, strideW] = intsAttr(n, "strides", [1, 1]);
  const [dilationH, dilationW] = intsAttr(n, "dilations", [1, 1]);
  return {
    kernelH: kernel[0]!,
    kernelW: kernel[1]!,
    strideH: strideH!,
    strideW: strideW!,
    padTop: padTop!,
    padLeft: padLeft!,
    padBottom: padBottom!,
    padRight: padRight!,
    dilationH: dilationH!,
    dilationW: dilationW!,
  };
}

/** Output size of a window over `size` elements, floor. */
export function windowOut(
  size: number,
  kernel: number,
  stride: number,
  padBegin: number,
  padEnd: number,
  dilation: number,
): number {
  return Math.floor((size + padBegin + padEnd - dilation * (kernel - 1) - 1) / stride) + 1;
}

/** Geometry of a pooling node between its arena views. */
export function poolShape(c: StepContext): PoolShape {
  const x = c.need(0).shape, y = c.output(0).shape;
  return {
    batch: x[0]!,
    inH: x[2]!,
    inW: x[3]!,
    inC: x[1]!,
    outH: y[2]!,
    outW: y[3]!,
    ...windowOf(c.node, intsAttr(c.node, "kernel_shape")),
  };
}
