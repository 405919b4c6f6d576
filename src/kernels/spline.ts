/**
 * Resize along one direction with splines (skimage's `resize`): smoothing, spline coefficients, weighted
 * sums. The arithmetic is binary64 in the order of spline_ref.ts.
 *
 * @module
 */

import type { Arena } from "./arena.ts";
import { aligned, atLeast, expect, region } from "./check.ts";
import type { AxisTable } from "./picture.ts";

/** What happens along a line. */
export interface SplineLine {
  readonly from: number;
  /** Indices and weights of the outputs, over coefficients. */
  readonly table: AxisTable;
  /** Kernel of 2 * radius + 1 values, radius at least 1; undefined: no smoothing. */
  readonly blur?: Float64Array;
  /** Poles of the filter that makes coefficients of values. */
  readonly poles: readonly number[];
}

/** ... 2 1 | 0 1 2 ... n-1 | n-2 ... */
export function mirror(i: number, n: number): number {
  if (n === 1) return 0;
  const period = 2 * (n - 1);
  const m = ((i % period) + period) % period;
  return m < n ? m : period - m;
}

/** Indices of the values before and behind a line of n, `radius` each. */
export function mirrors(n: number, radius: number): Int32Array {
  return Int32Array.from(
    { length: 2 * radius },
    (_, i) => i < radius ? mirror(i - radius, n) : mirror(n + i - radius, n),
  );
}

/** Sum of a kernel, from the first value on. */
export const kernelSum = (kernel: Float64Array): number => kernel.reduce((a, b) => a + b, 0);

/**
 * Resizes `blocks * step` lines: value i of line s of block b is at (b * from + i) * step + s, in float64.
 */
export function splineAlong(
  arena: Arena,
  g: { readonly x: number; readonly y: number; readonly blocks: number; readonly step: number },
  l: SplineLine,
): void {
  const k = "splineAlong", { taps, index, weight } = l.table, to = index.length / taps;
  atLeast(1, k, { from: l.from, to, blocks: g.blocks, step: g.step, taps });
  aligned(k, "x", g.x, 8);
  aligned(k, "y", g.y, 8);
  region(arena, k, "x", g.x, g.blocks * l.from * g.step * 8);
  region(arena, k, "y", g.y, g.blocks * to * g.step * 8);
  expect(weight.length === index.length, k, "a table has taps indices and weights for each output");
  expect(index.every((i) => i >= 0 && i < l.from), k, "indices lie inside of the line");
  const radius = l.blur === undefined ? 0 : (l.blur.length - 1) / 2;
  const odd = l.blur === undefined || (Number.isInteger(radius) && radius > 0);
  expect(odd, k, "a smoothing kernel has an odd number of values, at least 3");
  const mark = arena.mark();
  const doubles = (v: Float64Array) => arena.put(v);
  const poles = doubles(Float64Array.from(l.poles.flatMap((z) => [z, z ** (l.from - 1)])));
  const kernel = doubles(l.blur ?? new Float64Array(0));
  const w = doubles(weight), i = arena.put(index), m = arena.put(mirrors(l.from, radius));
  const work = arena.alloc((2 * l.from + 2 * radius) * 16, 16);
  const total = l.blur === undefined ? 1 : kernelSum(l.blur);
  // deno-fmt-ignore
  arena.core.splineAlong(g.x, g.y, work, g.blocks, l.from, to, g.step, radius, m, kernel, total, taps, i, w, poles, l.poles.length);
  arena.release(mark);
}
