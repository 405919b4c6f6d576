/**
 * Scalar reference of matmul.ts.
 *
 * @module
 */

import { clamp, requantOf } from "./arithmetic_ref.ts";
import type { MatmulArgs } from "./matmul.ts";

type Arrays = {
  readonly a: Int8Array;
  readonly b: Int8Array;
  readonly y: Int8Array | Int16Array | Int32Array;
};

export function matmulRef(g: Omit<MatmulArgs, "a" | "b" | "y"> & Arrays): void {
  const aStep = g.aBatchStride ?? g.M * g.K, bStep = g.bBatchStride ?? g.K * g.N;
  for (let n = 0, at = 0; n < g.batch; n++) {
    for (let i = 0; i < g.M; i++) {
      for (let j = 0; j < g.N; j++, at++) {
        let acc = 0;
        for (let k = 0; k < g.K; k++) {
          acc += (g.a[n * aStep + i * g.K + k]! - g.aZero) *
            (g.b[n * bStep + k * g.N + j]! - g.bZero);
        }
        const q = g.y instanceof Int32Array ? acc : requantOf(acc, g.m, g.s) + g.yZero;
        g.y[at] = clamp(q, g.qmin, g.qmax);
      }
    }
  }
}
