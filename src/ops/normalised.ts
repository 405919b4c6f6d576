/**
 * Operators that rescale their input along one axis: Softmax and its relatives.
 *
 * @module
 */

import { intAttr } from "../ir/graph.ts";
import { elementCount } from "../ir/tensor.ts";
import { fromDoubles, isFloat, toDoubles } from "./convert.ts";
import { type InferContext, type OpDef, shapeError } from "./op.ts";
import { needFloat } from "./pool.ts";

/** Computes one line of values in place. */
export type LineFunction = (line: Float64Array) => void;

function axisOfNode(c: InferContext): number {
  const rank = c.need(0).shape.length;
  const axis = intAttr(c.node, "axis", -1);
  const at = axis < 0 ? axis + rank : axis;
  if (at < 0 || at >= rank) shapeError(c.node, `axis ${axis} is outside an input of rank ${rank}`);
  return at;
}

/** An operator whose output has the shape of its input and that works along its `axis`. */
export function alongAxis(
  op: string,
  line: (c: InferContext) => LineFunction,
  place: OpDef["place"],
): OpDef {
  return {
    op,
    infer(c) {
      needFloat(c);
      axisOfNode(c);
      const { dtype, shape } = c.need(0);
      return [{ dtype, shape }];
    },
    fold(c) {
      const x = c.constant(0);
      if (x === undefined || !isFloat(x.dtype)) return undefined;
      const axis = axisOfNode(c);
      const size = x.shape[axis]!;
      const step = elementCount(x.shape.slice(axis + 1));
      const y = toDoubles(x).slice();
      const f = line(c);
      const buffer = new Float64Array(size);
      for (let outer = 0; outer < y.length; outer += size * step) {
        for (let k = 0; k < step; k++) {
          for (let i = 0; i < size; i++) buffer[i] = y[outer + k + i * step]!;
          f(buffer);
          for (let i = 0; i < size; i++) y[outer + k + i * step] = buffer[i]!;
        }
      }
      return [{ dtype: x.dtype, shape: x.shape, data: fromDoubles(x.dtype, y) }];
    },
    ...(place === undefined ? {} : { place }),
    macs: (c) => 3 * elementCount(c.output(0).shape),
  };
}

/** exp(x - max) and the sum of it. */
export function exponentials(line: Float64Array): number {
  let top = -Infinity;
  for (const v of line) if (v > top) top = v;
  let sum = 0;
  for (let i = 0; i < line.length; i++) sum += line[i] = Math.exp(line[i]! - top);
  return sum;
}
