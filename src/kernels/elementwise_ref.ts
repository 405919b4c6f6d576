/**
 * Scalar reference of elementwise.ts.
 *
 * @module
 */

import { clamp, shiftRound } from "./arithmetic_ref.ts";
import type { AddArgs, BinaryArgs, MulArgs } from "./elementwise.ts";

type Ints = Int8Array | Int16Array | Int32Array;

/** Arrays in the place of pointers. */
export type WithArrays<T> = Omit<T, "a" | "b" | "y"> & {
  readonly a: Ints;
  readonly b: Ints;
  readonly y: Ints;
};

export function add2Ref(g: WithArrays<AddArgs>): void {
  each(g, (a, b) => {
    const p = (a - g.aZero) * g.m1 + (b - g.bZero) * g.m2;
    return clamp(shiftRound(p, g.s) + g.yZero, g.qmin, g.qmax);
  });
}

export function mul2Ref(g: WithArrays<MulArgs>): void {
  each(g, (a, b) => {
    const p = (a - g.aZero) * (b - g.bZero) * g.m;
    return clamp(shiftRound(p, g.s) + g.yZero, g.qmin, g.qmax);
  });
}

export function max2Ref(g: WithArrays<BinaryArgs>): void {
  each(g, (a, b) => Math.max(a, b));
}

export function min2Ref(g: WithArrays<BinaryArgs>): void {
  each(g, (a, b) => Math.min(a, b));
}

function each(g: WithArrays<BinaryArgs>, f: (a: number, b: number) => number): void {
  const count = g.dims.reduce((p, d) => p * d, 1);
  for (let i = 0; i < count; i++) {
    let rest = i, a = 0, b = 0, y = 0;
    for (let k = g.dims.length - 1; k >= 0; k--) {
      const at = rest % g.dims[k]!;
      rest = (rest - at) / g.dims[k]!;
      a += at * g.aStrides[k]!;
      b += at * g.bStrides[k]!;
      y += at * g.yStrides[k]!;
    }
    g.y[y] = f(g.a[a]!, g.b[b]!);
  }
}
