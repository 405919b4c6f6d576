/**
 * Integer evaluation of data movement: every such operator is one strided copy between arena views.
 *
 * @module
 */

import { intAttr, intsAttr } from "../ir/graph.ts";
import { byteSize, elementCount, stridesOf } from "../ir/tensor.ts";
import type { Tensor } from "../ir/tensor.ts";
import { copyStrided, fill } from "../kernels/copy.ts";
import type { StepContext, View } from "./op.ts";

/** Copies a box of `dims` elements between two views given by pointer and strides. */
function copy(
  c: StepContext,
  dims: readonly number[],
  from: { ptr: number; strides: readonly number[] },
  to: { ptr: number; strides: readonly number[] },
  bytes: number,
): void {
  if (dims.some((d) => d === 0)) return;
  copyStrided(c.arena, {
    src: from.ptr,
    dst: to.ptr,
    elementBytes: bytes as 1 | 2 | 4 | 8,
    dims,
    srcStrides: from.strides,
    dstStrides: to.strides,
  });
}

/** Whether the elements lie in logical order (sizes of 1 do not matter). */
function rowMajor(v: { shape: readonly number[]; strides: readonly number[] }): boolean {
  const want = stridesOf(v.shape);
  return v.shape.every((d, i) => d === 1 || v.strides[i] === want[i]);
}

/** Reshape, Flatten, Squeeze, Unsqueeze: the same elements in logical order. */
export function runReshape(c: StepContext): void {
  const x = c.need(0), y = c.output(0);
  const bytes = byteSize(x.dtype);
  const mark = c.arena.mark();
  let from: View = x;
  if (!rowMajor(x)) {
    const ptr = rowMajor(y) ? y.ptr : c.arena.alloc(x.count * bytes);
    const linear = { ...x, ptr, strides: stridesOf(x.shape) };
    copy(c, x.shape, x, linear, bytes);
    from = linear;
  }
  if (from.ptr !== y.ptr) {
    copy(c, y.shape, { ptr: from.ptr, strides: stridesOf(y.shape) }, y, bytes);
  }
  c.arena.release(mark);
}

/** Transpose. */
export function runTranspose(c: StepContext): void {
  const x = c.need(0), y = c.output(0);
  const perm = intsAttr(c.node, "perm", x.shape.map((_, i) => x.shape.length - 1 - i));
  copy(
    c,
    y.shape,
    { ptr: x.ptr, strides: perm.map((p) => x.strides[p]!) },
    y,
    byteSize(x.dtype),
  );
}

/** Concat along `axis`. */
export function runConcat(c: StepContext): void {
  const y = c.output(0);
  const axis = (intAttr(c.node, "axis") + y.shape.length) % y.shape.length;
  const bytes = byteSize(y.dtype);
  let at = 0;
  for (let i = 0; i < c.node.inputs.length; i++) {
    const x = c.need(i);
    copy(c, x.shape, x, { ptr: y.ptr + at * y.strides[axis]! * bytes, strides: y.strides }, bytes);
    at += x.shape[axis]!;
  }
}

/** Split along `axis`; sizes are those of the outputs. */
export function runSplit(c: StepContext): void {
  const x = c.need(0);
  const axis = (intAttr(c.node, "axis", 0) + x.shape.length) % x.shape.length;
  const bytes = byteSize(x.dtype);
  let at = 0;
  for (let i = 0; i < c.node.outputs.length; i++) {
    const y = c.output(i);
    copy(c, y.shape, { ptr: x.ptr + at * x.strides[axis]! * bytes, strides: x.strides }, y, bytes);
    at += y.shape[axis]!;
  }
}

const list = (t: Tensor | undefined): number[] | undefined =>
  t === undefined ? undefined : Array.from(t.data as ArrayLike<number | bigint>, Number);

/** Slice with constant starts, ends, axes and steps (negative steps included). */
export function runSlice(c: StepContext): void {
  const x = c.need(0), y = c.output(0);
  const bytes = byteSize(x.dtype);
  const starts = list(c.constant(1))!;
  const axes = list(c.constant(3)) ?? starts.map((_, i) => i);
  const steps = list(c.constant(4)) ?? starts.map(() => 1);
  const strides = [...x.strides];
  let ptr = x.ptr;
  axes.forEach((a, i) => {
    const axis = a < 0 ? a + x.shape.length : a;
    const size = x.shape[axis]!, step = steps[i]!;
    let start = starts[i]! < 0 ? starts[i]! + size : starts[i]!;
    start = step > 0 ? Math.min(Math.max(start, 0), size) : Math.min(Math.max(start, 0), size - 1);
    ptr += start * x.strides[axis]! * bytes;
    strides[axis] = x.strides[axis]! * step;
  });
  copy(c, y.shape, { ptr, strides }, y, bytes);
}

/** Pad with a constant; negative pads crop. */
export function runPad(c: StepContext): void {
  const x = c.need(0), y = c.output(0);
  const bytes = byteSize(x.dtype);
  const pads = list(c.constant(1))!;
  const value = list(c.constant(2))?.[0] ?? 0;
  fill(c.arena, { dst: y.ptr, n: elementCount(y.shape), elementBytes: bytes as 1 | 2 | 4, value });
  let src = x.ptr, dst = y.ptr;
  const rank = x.shape.length;
  const dims = x.shape.map((d, i) => {
    const begin = pads[i]!, end = pads[i + rank]!;
    if (begin < 0) src -= begin * x.strides[i]! * bytes;
    else dst += begin * y.strides[i]! * bytes;
    return d + Math.min(begin, 0) + Math.min(end, 0);
  });
  copy(c, dims, { ptr: src, strides: x.strides }, { ptr: dst, strides: y.strides }, bytes);
}

/** DepthToSpace and SpaceToDepth as a six-dimensional transposition. */
export function runDepthToSpace(c: StepContext): void {
  const x = c.need(0), y = c.output(0);
  const b = intAttr(c.node, "blocksize");
  const mode = c.node.attrs.get("mode");
  const crd = mode !== undefined && mode.type === "string" && mode.value === "CRD";
  const [n, , h, w] = x.shape, depth = y.shape[1]!;
  const [xn, xc, xh, xw] = x.strides, [yn, yc, yh, yw] = y.strides;
  // Channel index: DCR = (row, column, depth), CRD = (depth, row, column).
  const [sr, sc, sd] = crd ? [b * xc!, xc!, b * b * xc!] : [b * depth * xc!, depth * xc!, xc!];
  copy(
    c,
    [n!, depth, h!, b, w!, b],
    { ptr: x.ptr, strides: [xn!, sd, xh!, sr, xw!, sc] },
    { ptr: y.ptr, strides: [yn!, yc!, b * yh!, yh!, b * yw!, yw!] },
    byteSize(x.dtype),
  );
}

/** SpaceToDepth. */
export function runSpaceToDepth(c: StepContext): void {
  const x = c.need(0), y = c.output(0);
  const b = intAttr(c.node, "blocksize");
  const [n, depth] = x.shape, [, , h, w] = y.shape;
  const [xn, xc, xh, xw] = x.strides, [yn, yc, yh, yw] = y.strides;
  copy(
    c,
    [n!, depth!, h!, b, w!, b],
    { ptr: x.ptr, strides: [xn!, xc!, b * xh!, xh!, b * xw!, xw!] },
    { ptr: y.ptr, strides: [yn!, yc!, yh!, b * depth! * yc!, yw!, depth! * yc!] },
    byteSize(x.dtype),
  );
}
