/**
 * Product of two int8 feature maps with one multiplier (docs/arithmetic.md section 4).
 *
 * @module
 */

import type { Arena } from "./arena.ts";
import { aligned, atLeast, bytesOf, expect, factor, limits, region, zeroPoint } from "./check.ts";

import type { ConvArgs, PackedConv } from "./conv.ts";
import { denseEnds, denseJob, type DensePart } from "./conv_dense.ts";
import { type Executor, inline } from "./executor.ts";
import { plansOf } from "./conv_plan.ts";
import type { ConvShape } from "./conv_shape.ts";

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
export function matmul(arena: Arena, g: MatmulArgs, executor: Executor = inline): void {
  atLeast(0, "matmul", { batch: g.batch, M: g.M, N: g.N });
  atLeast(1, "matmul", { K: g.K });
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
  expect(g.m >= 0 && g.m < 32768, "matmul", "the multiplier is not 0..32767");
  const { M, K, N } = g;
  if (M === 0 || N === 0) return;
  const mark = arena.mark();
  const multiplier = arena.alloc(N * 2), shift = arena.alloc(N);
  arena.i16(multiplier, N).fill(g.m);
  arena.i8(shift, N).fill(g.s);
  // The weights come with the call: their magnitudes are bounded by their type.
  const sums = arena.alloc(N * 4);
  arena.i32(sums, N).fill(K * (128 + Math.abs(g.bZero)));
  const d16 = arena.alloc(Math.ceil(N / 8) * Math.ceil(K / 2) * 32);
  // The product is a 1 x 1 convolution over M pixels whose weights are b.
  const shape: ConvShape = {
    ...{ batch: 1, inH: M, inW: 1, inC: K, outC: N, outH: M, outW: 1, kernelH: 1, kernelW: 1 },
    ...{ strideH: 1, strideW: 1, padTop: 0, padLeft: 0, padBottom: 0, padRight: 0 },
    ...{ dilationH: 1, dilationW: 1, group: 1 },
  };
  const part: DensePart = { ...plansOf(shape, false)[0]!, d16, rd8: 0 };
  const packed: PackedConv = {
    shape,
    transposed: false,
    plain: 0,
    sums,
    dense: [part],
    depthwise: [],
  };
  const inner = arena.mark();
  for (let i = 0; i < g.batch; i++) {
    if (i === 0 || bStep !== 0) arena.core.packRight(g.b + i * bStep, d16, K, N, g.bZero);
    // deno-fmt-ignore
    const args: ConvArgs = {
      x: g.a + i * aStep, y: g.y + i * M * N * bytesOf[g.yType], packed, bias: 0, multiplier, shift, shape,
      xType: "int8", yType: g.yType, xZero: g.aZero, yZero: g.yZero, qmin: g.qmin, qmax: g.qmax,
    };
    executor.dense(arena, denseJob(arena, args, part, false, denseEnds(arena, args)), M * K * N);
    arena.release(inner);
  }
  arena.release(mark);
}
