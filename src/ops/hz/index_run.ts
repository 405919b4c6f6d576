/**
 * Integer evaluation of Gather, GatherElements, Expand and Tile.
 *
 * @module
 */

import { intAttr } from "../../ir/graph.ts";
import { byteSize, stridesOf } from "../../ir/tensor.ts";
import { padShape } from "../broadcast.ts";
import { shapeError, type StepContext, type View } from "../op.ts";
import { copyBox, integersAt } from "./memory.ts";

/** Gather: one copy per index (constant or computed). */
export function runGather(c: StepContext): void {
  const x = c.need(0), y = c.output(0);
  const t = c.constant(1), v = c.input(1);
  const shape = t?.shape ?? c.need(1).shape;
  const indices = t !== undefined
    ? Array.from(t.data as ArrayLike<number | bigint>, Number)
    : Array.from(c.arena.i32(v!.ptr, v!.count), Number);
  // A computed rank-4 index tensor is NHWC in memory.
  const walk = t !== undefined ? stridesOf(shape) : v!.strides;
  const axis = (intAttr(c.node, "axis", 0) + x.shape.length) % x.shape.length;
  const size = x.shape[axis]!, bytes = byteSize(x.dtype);
  const without = <T>(list: readonly T[], from: number, count: number) => [
    ...list.slice(0, from),
    ...list.slice(from + count),
  ];
  const dims = without(x.shape, axis, 1);
  const from = without(x.strides, axis, 1), to = without(y.strides, axis, shape.length);
  const places = stridesOf(shape);
  for (let i = 0; i < indices.length; i++) {
    let at = 0, memory = 0;
    shape.forEach((d, k) => {
      const index = Math.floor(i / places[k]!) % d;
      at += index * y.strides[axis + k]!;
      memory += index * walk[k]!;
    });
    const given = indices[memory]!;
    const index = given < 0 ? given + size : given;
    if (index < 0 || index >= size) {
      shapeError(c.node, `index ${given} is outside -${size}..${size - 1}`);
    }
    copyBox(
      c,
      dims,
      { ptr: x.ptr + index * x.strides[axis]! * bytes, strides: from },
      { ptr: y.ptr + at * bytes, strides: to },
      x.dtype,
    );
  }
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

/** GatherElements with constant indices. */
export function runGatherElements(c: StepContext): void {
  const x = c.need(0), y = c.output(0), t = c.constant(1)!;
  const axis = (intAttr(c.node, "axis", 0) + x.shape.length) % x.shape.length;
  const size = x.shape[axis]!;
  const reach = (v: View) =>
    1 + v.shape.reduce((a, d, i) => a + Math.max(0, d - 1) * v.strides[i]!, 0);
  const from = integersAt(c, x.ptr, reach(x), x.dtype);
  const to = integersAt(c, y.ptr, reach(y), y.dtype);
  const at = new Array<number>(y.shape.length).fill(0);
  for (let i = 0; i < t.data.length; i++) {
    const given = Number(t.data[i]);
    const index = given < 0 ? given + size : given;
    if (index < 0 || index >= size) {
      shapeError(c.node, `index ${given} is outside -${size}..${size - 1}`);
    }
    let source = index * x.strides[axis]!, target = 0;
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
}
