/**
 * Product of two int8 feature maps with one multiplier (docs/arithmetic.md section 4).
 *
 * @module
 */

import type { Arena } from "./arena.ts";
import {
  aligned,
  atLeast,
  bytesOf,
  codeOf,
  expect,
  factor,
  limits,
  region,
  zeroPoint,
} from "./check.ts";

/** Arguments of {@linkcode matmul}: a [batch][M][K], b [batch][K][N], y [batch][M][N], row-major. */
export interface MatmulArgs {
  readonly a: number;
  readonly b: number;
  readonly y: number;
  readonly batch: number;
  readonly M: number;
  readonly K: number;
  readonly N: number;
  readonly aZero: number;
  readonly bZero: number;
  readonly yType: "int8" | "int16" | "int32";
  readonly yZero: number;
  /** Multiplier and shift; unused for int32 output (the clamped accumulator). */
  readonly m: number;
  readonly s: number;
  readonly qmin: number;
  readonly qmax: number;
  /** Elements from one batch item of a (or b) to the next; 0 repeats the item. Default M*K (K*N). */
  readonly aBatchStride?: number;
  readonly bBatchStride?: number;
}

/** y = clamp(requant(sum (a - aZero)(b - bZero)) + yZero). Throws `BpuError("internal")`. */
export function matmul(arena: Arena, g: MatmulArgs): void {
  atLeast(0, "matmul", { batch: g.batch, M: g.M, K: g.K, N: g.N });
  const aStep = g.aBatchStride ?? g.M * g.K, bStep = g.bBatchStride ?? g.K * g.N;
  atLeast(0, "matmul", { aStep, bStep });
  expect(g.K <= 33000, "matmul", "K above 33000 may overflow the accumulator");
  if (g.batch === 0) return;
  region(arena, "matmul", "a", g.a, (g.batch - 1) * aStep + g.M * g.K);
  region(arena, "matmul", "b", g.b, (g.batch - 1) * bStep + g.K * g.N);
  region(arena, "matmul", "y", g.y, g.batch * g.M * g.N * bytesOf[g.yType]);
  aligned("matmul", "y", g.y, bytesOf[g.yType]);
  zeroPoint("matmul", "int8", g.aZero);
  zeroPoint("matmul", "int8", g.bZero);
  limits("matmul", g.yType, g.yZero, g.qmin, g.qmax);
  factor("matmul", g.m, g.s);
  const yStep = g.M * g.N * bytesOf[g.yType];
  for (let i = 0; i < g.batch; i++) {
    // deno-fmt-ignore
    arena.core.matmulGeneric(
      g.a + i * aStep, g.b + i * bStep, g.y + i * yStep, g.M, g.K, g.N,
      codeOf[g.yType], g.aZero, g.bZero, g.yZero, g.m, g.s, g.qmin, g.qmax,
    );
  }
}
