/**
 * Scalar references of reduce.ts.
 *
 * @module
 */

import { clamp, requantOf } from "./arithmetic_ref.ts";
import type { ArgmaxArgs, ReduceSumArgs, View } from "./reduce.ts";

type Ints = Int8Array | Uint8Array | Int16Array | Int32Array;

export function reduceSumRef(x: Ints, y: Ints, g: Omit<ReduceSumArgs, "x" | "y">): void {
  lines(x, g, (line, at) => {
    const acc = line.reduce((sum, v) => sum + v - g.xZero, 0);
    y[at] = clamp(requantOf(acc, g.m, g.s) + g.yZero, g.qmin, g.qmax);
  });
}

export function reduceMaxRef(x: Ints, y: Ints, g: View): void {
  lines(x, g, (line, at) => y[at] = line.reduce((a, b) => Math.max(a, b)));
}

export function reduceMinRef(x: Ints, y: Ints, g: View): void {
  lines(x, g, (line, at) => y[at] = line.reduce((a, b) => Math.min(a, b)));
}

export function argmaxRef(x: Ints, y: Int32Array, g: Omit<ArgmaxArgs, "x" | "y">): void {
  lines(x, g, (line, at) => {
    const best = line.reduce((a, b) => g.minimum ? Math.min(a, b) : Math.max(a, b));
    y[at] = g.selectLast ? line.lastIndexOf(best) : line.indexOf(best);
  });
}

/** Calls f with each line of the middle dimension. */
export function lines(x: Ints, g: View, f: (line: number[], at: number) => void): void {
  for (let o = 0; o < g.outer; o++) {
    for (let i = 0; i < g.inner; i++) {
      const line: number[] = [];
      for (let k = 0; k < g.reduce; k++) line.push(x[(o * g.reduce + k) * g.inner + i]!);
      f(line, o * g.inner + i);
    }
  }
}
