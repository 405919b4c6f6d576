/**
 * float32 convolution, matrix product and elementwise kernels: the optional float engine. Sums run in another order than
 * in other engines and may be fused, so results agree within rounding only.
 *
 * @module
 */

import type { Arena } from "./arena.ts";
import { aligned, atLeast, expect, region } from "./check.ts";
import { denseBlock, type DenseJob, panels, panelsOf } from "./conv_dense.ts";
import { partSize, type Plan, plansOf } from "./conv_plan.ts";
import {
  checkShape,
  type ConvShape,
  geometry,
  inputElements,
  outputElements,
} from "./conv_shape.ts";
import { type Executor, inline } from "./executor.ts";

/** float32 weights in arena memory. */
export interface PackedConvF32 {
  readonly shape: ConvShape;
  /** One part, or one per output phase of a transposed convolution. */
  readonly parts: readonly { readonly plan: Plan; readonly weights: number }[];
  /** The weights are [taps][channels], not panels. */
  readonly depthwise: boolean;
}

/** Arguments of {@linkcode convF32}. */
export interface ConvF32Args {
  readonly x: number;
  readonly y: number;
  readonly packed: PackedConvF32;
  /** float32[outC], or 0 for none. */
  readonly bias: number;
  readonly shape: ConvShape;
  /** Fused clip. */
  readonly min?: number;
  readonly max?: number;
}

/** Packs ONNX weights [outC][inC / group][kernelH][kernelW]. */
export function packConvF32(arena: Arena, weight: Float32Array, shape: ConvShape): PackedConvF32 {
  checkShape("packConvF32", shape);
  const { outC, kernelH, kernelW } = shape, I = shape.inC / shape.group, T = kernelH * kernelW;
  expect(weight.length === outC * I * T, "packConvF32", `${weight.length} weights`);
  const plan = plansOf(shape, false)[0]!;
  if (I === 1 && outC === shape.inC) {
    const weights = arena.alloc(weight.byteLength), w = arena.f32(weights, weight.length);
    for (let c = 0; c < outC; c++) for (let t = 0; t < T; t++) w[t * outC + c] = weight[c * T + t]!;
    return { shape, parts: [{ plan, weights }], depthwise: true };
  }
  const weights = panels(arena, shape, plan, (o, i, ky, kx) => {
    return weight[((o * I + i) * kernelH + ky) * kernelW + kx]!;
  }, 1);
  return { shape, parts: [{ plan, weights }], depthwise: false };
}

/** Packs ONNX ConvTranspose weights [inC][outC / group][kernelH][kernelW]; no dilation. */
export function packConvTransposeF32(
  arena: Arena,
  weight: Float32Array,
  shape: ConvShape,
): PackedConvF32 {
  const k = "packConvTransposeF32";
  checkShape(k, shape);
  const { inC, kernelH, kernelW } = shape, O = shape.outC / shape.group, I = inC / shape.group;
  expect(weight.length === inC * O * kernelH * kernelW, k, `${weight.length} weights`);
  expect(shape.dilationH === 1 && shape.dilationW === 1, k, "a dilation");
  const parts = plansOf(shape, true).map((plan) => ({
    plan,
    weights: panels(arena, shape, plan, (o, i, ky, kx) => {
      const from = Math.floor(o / O) * I + i;
      return weight[((from * O + o % O) * kernelH + ky) * kernelW + kx]!;
    }, 1),
  }));
  return { shape, parts, depthwise: false };
}

/** y = clip(bias + sum x * w), NHWC to NHWC. Throws `BpuError("internal")` when an argument is out of bounds. */
export function convF32(arena: Arena, a: ConvF32Args, executor: Executor = inline): void {
  const k = "convF32", s = a.shape, p = a.packed.shape;
  checkShape(k, s);
  expect(
    p.inC === s.inC && p.outC === s.outC && p.group === s.group && p.kernelH === s.kernelH &&
      p.kernelW === s.kernelW && p.strideH === s.strideH && p.strideW === s.strideW &&
      p.padTop === s.padTop && p.padLeft === s.padLeft && p.dilationH === s.dilationH &&
      p.dilationW === s.dilationW,
    k,
    "the weights were packed for another shape",
  );
  region(arena, k, "x", a.x, inputElements(s) * 4);
  region(arena, k, "y", a.y, outputElements(s) * 4);
  if (a.bias !== 0) region(arena, k, "bias", a.bias, s.outC * 4);
  for (const at of [a.x, a.y, a.bias]) aligned(k, "a buffer", at, 4);
  const mark = arena.mark();
  const low = a.min ?? -Infinity, high = a.max ?? Infinity;
  const given = a.bias === 0 ? null : arena.f32(a.bias, s.outC);
  if (a.packed.depthwise) {
    const bias = arena.alloc(s.outC * 4);
    const b = arena.f32(bias, s.outC).fill(0);
    if (given !== null) b.set(given);
    const limits = arena.alloc(32);
    arena.f32(limits, 4).fill(low);
    arena.f32(limits + 16, 4).fill(high);
    const g = geometry(arena, s, false);
    arena.micro.depthwiseF32(a.x, a.y, a.packed.parts[0]!.weights, bias, g, limits);
  } else {
    const og = s.outC / s.group, per = panelsOf(s) * 8;
    const bias = arena.alloc(per * s.group * 4), b = arena.f32(bias, per * s.group).fill(0);
    if (given !== null) {
      for (let o = 0; o < s.outC; o++) b[Math.floor(o / og) * per + o % og] = given[o]!;
    }
    const inner = arena.mark();
    for (const { plan, weights } of a.packed.parts) {
      const job = block(arena, s, plan, a.x, a.y, weights, bias, low, high);
      const { partH, partW } = partSize(s, plan), taps = plan.tapsH.length * plan.tapsW.length;
      executor.dense(arena, job, partH * partW * s.outC * s.inC / s.group * taps);
      arena.release(inner);
    }
  }
  arena.release(mark);
}

function block(
  arena: Arena,
  s: ConvShape,
  plan: Plan,
  x: number,
  y: number,
  weights: number,
  bias: number,
  low: number,
  high: number,
): DenseJob {
  const constants = arena.alloc(160), modes = arena.alloc(panelsOf(s) * s.group);
  arena.u8(constants, 160).fill(0);
  arena.f32(constants, 4).fill(low);
  arena.f32(constants + 16, 4).fill(high);
  const tables = { bias, mul: bias, modes };
  return denseBlock(arena, s, plan, {
    ...{ x, y, weights, tables, constants, xCode: 3, yCode: 3, xZero: 0, kind: 3 },
  });
}

/** Arguments of {@linkcode matmulF32}: a [batch][M][K], b [batch][K][N], y [batch][M][N]. */
export interface MatmulF32Args {
  readonly a: number;
  readonly b: number;
  readonly y: number;
  readonly batch: number;
  readonly M: number;
  readonly K: number;
  readonly N: number;
  /** Elements from one batch item of b to the next; 0 repeats the item. Default K * N. */
  readonly bBatchStride?: number;
}

/** Matrix product (GEMM with ready bias is {@linkcode convF32} of a 1 x 1 kernel). */
export function matmulF32(arena: Arena, g: MatmulF32Args, executor: Executor = inline): void {
  const { batch, M, K, N } = g, step = g.bBatchStride ?? K * N;
  atLeast(0, "matmulF32", { batch, M, N, step });
  atLeast(1, "matmulF32", { K });
  if (batch * M * N === 0) return;
  region(arena, "matmulF32", "a", g.a, batch * M * K * 4);
  region(arena, "matmulF32", "b", g.b, ((batch - 1) * step + K * N) * 4);
  region(arena, "matmulF32", "y", g.y, batch * M * N * 4);
  const mark = arena.mark();
  const s: ConvShape = {
    ...{ batch: 1, inH: M, inW: 1, inC: K, outC: N, outH: M, outW: 1, kernelH: 1, kernelW: 1 },
    ...{ strideH: 1, strideW: 1, padTop: 0, padLeft: 0, padBottom: 0, padRight: 0 },
    ...{ dilationH: 1, dilationW: 1, group: 1 },
  };
  const plan = plansOf(s, false)[0]!, columns = Math.ceil(N / 8) * 8;
  const weights = arena.alloc(columns * K * 4), bias = arena.alloc(columns * 4);
  arena.f32(bias, columns).fill(0);
  const inner = arena.mark();
  for (let i = 0; i < batch; i++) {
    if (i === 0 || step !== 0) arena.core.packRightF32(g.b + i * step * 4, weights, K, N);
    const x = g.a + i * M * K * 4, y = g.y + i * M * N * 4;
    const job = block(arena, s, plan, x, y, weights, bias, -Infinity, Infinity);
    executor.dense(arena, job, M * K * N);
    arena.release(inner);
  }
  arena.release(mark);
}
