/**
 * Checks that the operators of already quantized ONNX models share: scales, zero points and their axis.
 *
 * @module
 */

import { intAttr } from "../ir/graph.ts";
import { elementCount, type Tensor } from "../ir/tensor.ts";
import { given, modelError } from "./context.ts";
import { toDoubles } from "./convert.ts";
import { type InferContext, shapeError } from "./op.ts";

/** Refuses a scale (and its zero point) that is neither one value nor one per slice along `axis`. */
export function checkScale(
  c: InferContext,
  scale: number,
  zero: number,
  shape: readonly number[],
  axis: number,
): void {
  const s = c.need(scale).shape;
  if (elementCount(s) !== 1 && s.length === 1) {
    const at = axis < 0 ? axis + shape.length : axis;
    if (at < 0 || at >= shape.length) {
      shapeError(c.node, `axis ${axis} is outside a tensor of rank ${shape.length}`);
    }
    if (shape[at]! >= 0 && s[0]! >= 0 && shape[at] !== s[0]) {
      shapeError(c.node, `it has ${s[0]} scales for ${shape[at]} slices along axis ${at}`);
    }
  }
  if (given(c, zero)) {
    const z = c.need(zero).shape;
    if (elementCount(z) !== elementCount(s) && elementCount(z) >= 0 && elementCount(s) >= 0) {
      shapeError(c.node, `it has ${elementCount(s)} scales and ${elementCount(z)} zero points`);
    }
  }
}

/** For each element of `shape` the index of its scale: one, per axis, or per block of an axis. */
export function scaleIndex(c: InferContext, shape: readonly number[], scale: Tensor) {
  if (scale.data.length === 1) return () => 0;
  const axis = intAttr(c.node, "axis", 1);
  const at = axis < 0 ? axis + shape.length : axis;
  const inner = elementCount(shape.slice(at + 1));
  const size = shape[at]!;
  if (scale.shape.length === 1) return (i: number) => Math.floor(i / inner) % size;
  const block = intAttr(c.node, "block_size", 0);
  if (block < 1) modelError(c.node, "its scales have more than one dimension, but no block_size");
  const blocks = scale.shape[at] ?? 1;
  return (i: number) => {
    const [outer, k, rest] = [
      Math.floor(i / (inner * size)),
      Math.floor(i / inner) % size,
      i % inner,
    ];
    return (outer * blocks + Math.floor(k / block)) * inner + rest;
  };
}

/** Zero points as numbers; zeros when not given. */
export function zerosOf(t: Tensor | undefined, count: number): Float64Array {
  return t === undefined ? new Float64Array(count) : toDoubles(t);
}
