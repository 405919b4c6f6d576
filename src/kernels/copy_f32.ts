/**
 * Strided copies of float32 whose innermost dimension is dense on both sides.
 *
 * @module
 */

import type { Arena } from "./arena.ts";
import { aligned, atLeast, expect, params } from "./check.ts";
import type { CopyArgs } from "./copy.ts";
import { collapse, stridedRegion } from "./strided.ts";

/** Arguments of {@linkcode copyRowsF32}: those of `copyStrided` without the size of an element. */
export type CopyRowsArgs = Omit<CopyArgs, "elementBytes">;

/**
 * `copyStrided` for rows that are short, but rows: dimensions are walked in the order given, and the last
 * must have a stride of 1 on both sides (after merging). Source and target must not overlap.
 */
export function copyRowsF32(arena: Arena, g: CopyRowsArgs): void {
  const k = "copyRowsF32";
  atLeast(0, k, Object.fromEntries(g.dims.map((d, i) => [`dim ${i}`, d])));
  if (g.dims.includes(0)) return;
  stridedRegion(arena, k, "src", g.src, g.dims, g.srcStrides, 4);
  stridedRegion(arena, k, "dst", g.dst, g.dims, g.dstStrides, 4);
  aligned(k, "src", g.src, 4);
  aligned(k, "dst", g.dst, 4);
  const { dims, strides } = collapse(g.dims, [g.srcStrides, g.dstStrides]);
  const [src, dst] = strides as [number[], number[]];
  if (dims.length === 1) {
    dims.unshift(1);
    src.unshift(0);
    dst.unshift(0);
  }
  expect(dims.length <= 8, k, `${dims.length} dims`);
  const dense = dims.at(-1) === 1 || src.at(-1) === 1 && dst.at(-1) === 1;
  expect(dense, k, "the last dimension is not dense");
  const eight = (v: readonly number[]) => [...v, ...new Array<number>(8 - v.length).fill(0)];
  const d = params(arena, [
    dims.length,
    ...eight(dims),
    ...eight(src.map((s) => s * 4)),
    ...eight(dst.map((s) => s * 4)),
  ]);
  arena.core.copyRowsF32(g.src, g.dst, d, 0);
}
