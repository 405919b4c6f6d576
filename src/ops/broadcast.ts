/**
 * Numpy-style (multidirectional) broadcasting of shapes and indices.
 *
 * @module
 */

import type { Node } from "../ir/graph.ts";
import { elementCount, shapeText } from "../ir/tensor.ts";
import { shapeError } from "./op.ts";

/** `shape` with ones put in front up to `rank`. */
export function padShape(shape: readonly number[], rank: number): number[] {
  return [...new Array<number>(Math.max(0, rank - shape.length)).fill(1), ...shape];
}

/** One broadcast dimension; -1 is unknown; undefined when they contradict. */
export function broadcastDim(a: number, b: number): number | undefined {
  if (a === b || b === 1) return a;
  if (a === 1) return b;
  // An unknown dimension against n > 1 (or 0) can only be 1 or n.
  if (a === -1) return b;
  if (b === -1) return a;
  return undefined;
}

/** Shape of the broadcast of all `shapes`; undefined when they contradict. */
export function tryBroadcast(shapes: readonly (readonly number[])[]): number[] | undefined {
  let out: number[] = [];
  for (const s of shapes) {
    const rank = Math.max(out.length, s.length);
    const a = padShape(out, rank);
    const b = padShape(s, rank);
    const next: number[] = [];
    for (let i = 0; i < rank; i++) {
      const d = broadcastDim(a[i]!, b[i]!);
      if (d === undefined) return undefined;
      next.push(d);
    }
    out = next;
  }
  return out;
}

/** Shape of the broadcast of all `shapes`; `BpuError("shape")` on the node when they contradict. */
export function broadcastShape(n: Node, shapes: readonly (readonly number[])[]): number[] {
  return tryBroadcast(shapes) ??
    shapeError(n, `the input shapes ${shapes.map(shapeText).join(" and ")} do not broadcast`);
}

/** How a dimension pair broadcasts: neither side, the first is stretched, or the second is. */
export type BroadcastKind = "none" | "a" | "b";

/** Per dimension of the common rank, which side is stretched. */
export function broadcastKinds(a: readonly number[], b: readonly number[]): BroadcastKind[] {
  const rank = Math.max(a.length, b.length);
  const pa = padShape(a, rank);
  const pb = padShape(b, rank);
  return pa.map((d, i) => d === pb[i] ? "none" : d === 1 ? "a" : "b");
}

/** Element strides of `shape` seen as the broadcast shape `out`: 0 along stretched dimensions. */
export function broadcastStrides(shape: readonly number[], out: readonly number[]): number[] {
  const padded = padShape(shape, out.length);
  const strides = new Array<number>(out.length).fill(0);
  let n = 1;
  for (let i = out.length - 1; i >= 0; i--) {
    strides[i] = padded[i] === 1 ? 0 : n;
    n *= padded[i]!;
  }
  return strides;
}

/**
 * For each element of `out` in row-major order, the element index in a tensor of `shape` broadcast to
 * it. Undefined when the index is the identity.
 */
export function broadcastIndex(
  shape: readonly number[],
  out: readonly number[],
): Int32Array | undefined {
  const count = elementCount(out);
  if (elementCount(shape) === count) return undefined;
  const index = new Int32Array(count);
  const strides = broadcastStrides(shape, out);
  const at = new Array<number>(out.length).fill(0);
  let offset = 0;
  for (let i = 0; i < count; i++) {
    index[i] = offset;
    for (let d = out.length - 1; d >= 0; d--) {
      offset += strides[d]!;
      if (++at[d]! < out[d]!) break;
      offset -= strides[d]! * out[d]!;
      at[d] = 0;
    }
  }
  return index;
}
