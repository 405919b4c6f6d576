/**
 * Tensors in the order that a kernel wants: copies between strided views and dense scratch.
 *
 * @module
 */

import type { DType } from "../../ir/tensor.ts";
import { byteSize, stridesOf } from "../../ir/tensor.ts";
import { copyStrided } from "../../kernels/copy.ts";
import type { StepContext, View } from "../op.ts";

/** Where a box of elements starts and how it is walked. */
export interface Place {
  readonly ptr: number;
  /** Element strides, one per dimension of the box. */
  readonly strides: readonly number[];
}

/** Copies a box of `dims` elements. */
export function copyBox(
  c: StepContext,
  dims: readonly number[],
  from: Place,
  to: Place,
  dtype: DType,
): void {
  if (dims.includes(0)) return;
  copyStrided(c.arena, {
    src: from.ptr,
    dst: to.ptr,
    elementBytes: byteSize(dtype) as 1 | 2 | 4 | 8,
    dims,
    srcStrides: from.strides,
    dstStrides: to.strides,
  });
}

/** Whether a walk is dense and in logical order (sizes of 1 do not matter). */
export function isDense(dims: readonly number[], strides: readonly number[]): boolean {
  const want = stridesOf(dims);
  return dims.every((d, i) => d === 1 || strides[i] === want[i]);
}

/**
 * Pointer to the elements of a box in dense order: the box itself where it is dense, else a copy in
 * scratch that the caller releases.
 */
export function densely(
  c: StepContext,
  dims: readonly number[],
  from: Place,
  dtype: DType,
): number {
  if (isDense(dims, from.strides)) return from.ptr;
  const count = dims.reduce((a, b) => a * b, 1);
  const ptr = c.arena.alloc(Math.max(1, count * byteSize(dtype)), 16);
  copyBox(c, dims, from, { ptr, strides: stridesOf(dims) }, dtype);
  return ptr;
}

/** Pointer to a view's elements in row-major order. */
export function rowMajorOf(c: StepContext, v: View): number {
  return densely(c, v.shape, v, v.dtype);
}

/** Lets `write` fill a box in dense order, in place where the box is dense. */
export function writeDensely(
  c: StepContext,
  dims: readonly number[],
  to: Place,
  dtype: DType,
  write: (ptr: number) => void,
): void {
  if (isDense(dims, to.strides)) {
    write(to.ptr);
    return;
  }
  const count = dims.reduce((a, b) => a * b, 1);
  const ptr = c.arena.alloc(Math.max(1, count * byteSize(dtype)), 16);
  write(ptr);
  copyBox(c, dims, { ptr, strides: stridesOf(dims) }, to, dtype);
}

/** Integer elements in the arena. */
export function integersAt(
  c: StepContext,
  ptr: number,
  count: number,
  dtype: DType,
): Int8Array | Int16Array | Int32Array {
  if (dtype === "int8") return c.arena.i8(ptr, count);
  return dtype === "int16" ? c.arena.i16(ptr, count) : c.arena.i32(ptr, count);
}
