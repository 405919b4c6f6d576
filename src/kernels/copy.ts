/**
 * Data movement: one strided copy serves Transpose, Slice, Split, Concat, Pad, Expand, Tile, DepthToSpace and
 * layout conversion.
 *
 * @module
 */

import type { Arena } from "./arena.ts";
import { aligned, atLeast, params, region } from "./check.ts";
import { collapse, stridedRegion } from "./strided.ts";

/** Arguments of {@linkcode copyStrided}. `src` and `dst` point at the element of index 0. */
export interface CopyArgs {
  readonly src: number;
  readonly dst: number;
  readonly elementBytes: 1 | 2 | 4 | 8;
  readonly dims: readonly number[];
  /** In elements; 0 repeats, negative walks backwards. */
  readonly srcStrides: readonly number[];
  readonly dstStrides: readonly number[];
}

/** Copies every element of a nest. Source and target must not overlap. */
export function copyStrided(arena: Arena, g: CopyArgs): void {
  const k = "copyStrided", b = g.elementBytes;
  atLeast(0, k, Object.fromEntries(g.dims.map((d, i) => [`dim ${i}`, d])));
  if (g.dims.includes(0)) return;
  stridedRegion(arena, k, "src", g.src, g.dims, g.srcStrides, b);
  stridedRegion(arena, k, "dst", g.dst, g.dims, g.dstStrides, b);
  aligned(k, "src", g.src, b);
  aligned(k, "dst", g.dst, b);
  // Ascending target addresses: the innermost loop writes neighbours.
  const order = g.dims.map((_, i) => i).sort((p, q) =>
    Math.abs(g.dstStrides[q]!) - Math.abs(g.dstStrides[p]!) || p - q
  );
  // A source line across the target's innermost walk makes a transpose: its dimension goes next to that.
  const inner = order.at(-1);
  if (inner !== undefined && g.srcStrides[inner] !== 1) {
    const line = order.findIndex((i) => g.srcStrides[i] === 1 && g.dims[i]! > 1);
    if (line >= 0) order.splice(order.length - 2, 0, ...order.splice(line, 1));
  }
  const pick = (v: readonly number[]) => order.map((i) => v[i]!);
  const { dims, strides } = collapse(pick(g.dims), [pick(g.srcStrides), pick(g.dstStrides)]);
  if (dims.length > 8) {
    // More than the kernel walks.
    const [from, to] = strides as [number[], number[]];
    for (let i = 0; i < dims[0]!; i++) {
      copyStrided(arena, {
        ...g,
        src: g.src + i * from[0]! * b,
        dst: g.dst + i * to[0]! * b,
        dims: dims.slice(1),
        srcStrides: from.slice(1),
        dstStrides: to.slice(1),
      });
    }
    return;
  }
  const eight = (v: readonly number[]) => [...v, ...new Array<number>(8 - v.length).fill(0)];
  const d = params(arena, [
    dims.length,
    ...eight(dims),
    ...eight(strides[0]!.map((s) => s * b)),
    ...eight(strides[1]!.map((s) => s * b)),
  ]);
  arena.core.copyStrided(g.src, g.dst, d, b, 0);
}

/** Arguments of {@linkcode fill}: n elements of a value (an integer or, for 4 and 8 bytes, raw bits). */
export interface FillArgs {
  readonly dst: number;
  readonly n: number;
  readonly elementBytes: 1 | 2 | 4 | 8;
  /** Low 32 bits (all bits of smaller elements). */
  readonly value: number;
  /** High 32 bits of 8-byte elements; default 0. */
  readonly high?: number;
}

/** Sets n elements. */
export function fill(arena: Arena, g: FillArgs): void {
  atLeast(0, "fill", { n: g.n });
  region(arena, "fill", "dst", g.dst, g.n * g.elementBytes);
  aligned("fill", "dst", g.dst, g.elementBytes);
  arena.core.fill(g.dst, g.n, g.elementBytes, g.value, g.high ?? 0);
}
