/**
 * What the two-input quantized operators share: the geometry of ONNX broadcasting over arena views.
 *
 * @module
 */

import type { StepContext, View } from "../op.ts";

/** Dimensions of the result and element strides of both inputs (0 where broadcast) and the output. */
export interface Broadcast {
  readonly dims: readonly number[];
  readonly aStrides: readonly number[];
  readonly bStrides: readonly number[];
  readonly yStrides: readonly number[];
}

function aligned(v: View, rank: number): number[] {
  const pad = rank - v.shape.length;
  return Array.from(
    { length: rank },
    (_, i) => i < pad || v.shape[i - pad] === 1 ? 0 : v.strides[i - pad]!,
  );
}

/** Geometry of `y = f(a, b)` for the node's inputs 0 and 1. */
export function broadcastOf(c: StepContext): Broadcast {
  const y = c.output(0);
  const rank = y.shape.length;
  return {
    dims: y.shape,
    aStrides: aligned(c.need(0), rank),
    bStrides: aligned(c.need(1), rank),
    yStrides: y.strides,
  };
}
