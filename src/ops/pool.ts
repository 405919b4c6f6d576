/**
 * What the pooling operators share: output types and rows of the operator table.
 *
 * @module
 */

import { elementCount, type TensorType } from "../ir/tensor.ts";
import { modelError } from "./context.ts";
import { isFloat } from "./convert.ts";
import { type InferContext, type OpDef, shapeError } from "./op.ts";
import { windowOf, windowShape } from "./spatial.ts";

/** Output type of a sliding window operator on [N,C,...]. */
export function pooled(c: InferContext): TensorType {
  const { dtype, shape } = c.need(0);
  if (shape.length < 3) {
    shapeError(c.node, `its input has rank ${shape.length}, it needs 3 or more`);
  }
  const size = shape.slice(2);
  return {
    dtype,
    shape: [...shape.slice(0, 2), ...windowShape(c.node, size, windowOf(c.node, size))],
  };
}

/** A float pooling operator over its whole input: [N,C,...] to [N,C,1,...]. */
export function globalPool(op: string, place: OpDef["place"]): OpDef {
  return {
    op,
    infer(c) {
      const { dtype, shape } = c.need(0);
      if (shape.length < 2) {
        shapeError(c.node, `its input has rank ${shape.length}, it needs 2 or more`);
      }
      needFloat(c);
      return [{ dtype, shape: shape.map((d, i) => i < 2 ? d : 1) }];
    },
    ...(place === undefined ? {} : { place }),
    macs: (c) => elementCount(c.need(0).shape),
  };
}

/** Refuses inputs that are not float. */
export function needFloat(c: InferContext, i = 0): void {
  const { dtype } = c.need(i);
  if (!isFloat(dtype)) modelError(c.node, `input ${i} is ${dtype}, not float`);
}

/** Operations of a sliding window: kernel elements per output. */
export function windowMacs(c: InferContext & { output(i: number): TensorType }): number {
  const size = c.need(0).shape.slice(2);
  return elementCount(c.output(0).shape) * elementCount(windowOf(c.node, size).kernel);
}
