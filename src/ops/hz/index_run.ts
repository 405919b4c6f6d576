/**
 * Integer evaluation of Gather, GatherElements, Expand and Tile.
 *
 * @module
 */

import { intAttr } from "../../ir/graph.ts";
import { byteSize, stridesOf } from "../../ir/tensor.ts";
import { padShape } from "../broadcast.ts";
import { shapeError, type StepContext, type View } from "../op.ts";
import { copyBox, integersAt, rowMajorOf } from "./memory.ts";

const indexTypes: ReadonlySet<string> = new Set(["int8", "int16", "int32", "int64"]);

/**
 * Indices into `size` elements in row-major order, from the front. Computed ones beyond either end become
 * the element there, so that no data reads outside of the tensor; a constant one is a mistake of the model.
 */
function indicesOf(c: StepContext, size: number): Int32Array {
  const t = c.constant(1);
  const v = t === undefined ? c.need(1) : undefined;
  if (v !== undefined && !indexTypes.has(v.dtype)) {
    shapeError(c.node, `${v.dtype} indices are not int8, int16, int32 or int64`);
  }
  const given: ArrayLike<number | bigint> = v === undefined
    ? t!.data as ArrayLike<number | bigint>
    : v.dtype === "int64"
    ? c.arena.i64(rowMajorOf(c, v), v.count)
    : integersAt(c, rowMajorOf(c, v), v.count, v.dtype);
  return Int32Array.from({ length: given.length }, (_, i) => {
    const k = Number(given[i]), index = k < 0 ? k + size : k;
    if (v !== undefined) return Math.min(Math.max(index, 0), size - 1);
    return index >= 0 && index < size
      ? index
      : shapeError(c.node, `index ${k} is outside -${size}..${size - 1}`);
  });
}

function axisOf(c: StepContext, x: View): number {
  const axis = intAttr(c.node, "axis", 0);
  return axis < 0 ? axis + x.shape.length : axis;
}

/** Gather: one copy per index. */
export function runGather(c: StepContext): void {
  const x = c.need(0), y = c.output(0);
  const axis = axisOf(c, x), bytes = byteSize(x.dtype);
  const shape = y.shape.slice(axis, y.shape.length - x.shape.length + axis + 1);
  const mark = c.arena.mark();
  const indices = indicesOf(c, x.shape[axis]!);
  const without = <T>(list: readonly T[], count: number) => [
    ...list.slice(0, axis),
    ...list.slice(axis + count),
  ];
  const dims = without(x.shape, 1);
  const from = without(x.strides, 1), to = without(y.strides, shape.length);
  const places = stridesOf(shape);
  for (let i = 0; i < indices.length; i++) {
    let at = 0;
    shape.forEach((d, k) => at += Math.floor(i / places[k]!) % d * y.strides[axis + k]!);
    copyBox(
      c,
      dims,
      { ptr: x.ptr + indices[i]! * x.strides[axis]! * bytes, strides: from },
      { ptr: y.ptr + at * bytes, strides: to },
      x.dtype,
    );
  }
  c.arena.release(mark);
}

/** Expand: dimensions of 1 repeat. */
export function runExpand(c: StepContext): void {
  const x = c.need(0), y = c.output(0);
  const from = padShape(x.shape, y.shape.length);
  const extra = y.shape.length - x.shape.length;
  const strides = y.shape.map((_, i) => i < extra || from[i] === 1 ? 0 : x.strides[i - extra]!);
  copyBox(c, y.shape, { ptr: x.ptr, strides }, y, x.dtype);
}

/** Tile: every axis as [repeats, size]. */
export function runTile(c: StepContext): void {
  const x = c.need(0), y = c.output(0);
  // Axes that are not repeated need no second dimension (the copy takes eight).
  const parts = x.shape.map((d, i) => ({ d, n: d === 0 ? 0 : y.shape[i]! / d, i }));
  const dims: number[] = [], from: number[] = [], to: number[] = [];
  for (const { d, n, i } of parts) {
    if (n !== 1) {
      dims.push(n);
      from.push(0);
      to.push(d * y.strides[i]!);
    }
    dims.push(d);
    from.push(x.strides[i]!);
    to.push(y.strides[i]!);
  }
  copyBox(c, dims, { ptr: x.ptr, strides: from }, { ptr: y.ptr, strides: to }, x.dtype);
}

/** GatherElements: one element per index. */
export function runGatherElements(c: StepContext): void {
  const x = c.need(0), y = c.output(0);
  const axis = axisOf(c, x);
  const mark = c.arena.mark();
  const indices = indicesOf(c, x.shape[axis]!);
  const reach = (v: View) =>
    1 + v.shape.reduce((a, d, i) => a + Math.max(0, d - 1) * v.strides[i]!, 0);
  const from = integersAt(c, x.ptr, reach(x), x.dtype);
  const to = integersAt(c, y.ptr, reach(y), y.dtype);
  const at = new Array<number>(y.shape.length).fill(0);
  for (let i = 0; i < indices.length; i++) {
    let source = indices[i]! * x.strides[axis]!, target = 0;
    at.forEach((v, d) => {
      if (d !== axis) source += v * x.strides[d]!;
      target += v * y.strides[d]!;
    });
    to[target] = from[source]!;
    for (let d = at.length - 1; d >= 0; d--) {
      if (++at[d]! < y.shape[d]!) break;
      at[d] = 0;
    }
  }
  c.arena.release(mark);
}
