/**
 * Integer convolution and transposed convolution on NHWC activations (docs/arithmetic.md section 4).
 *
 * @module
 */

import type { Arena } from "./arena.ts";
import { denseJob, type DensePart, longestWide, packDense } from "./conv_dense.ts";
import { depthwiseJob, type DepthwisePart, packDepthwise } from "./conv_depthwise.ts";
import { type Executor, inline } from "./executor.ts";
import { plansOf, type WeightAt } from "./conv_plan.ts";
import { aligned, bytesOf, codeOf, expect, limits, refuse, region, zeroPoint } from "./check.ts";
import {
  checkShape,
  type ConvShape,
  geometry,
  inputElements,
  outputElements,
} from "./conv_shape.ts";

export type { ConvShape } from "./conv_shape.ts";

/** Weights in the kernels' layouts, in arena memory. Valid until the arena is released below it. */
export interface PackedConv {
  readonly shape: ConvShape;
  readonly transposed: boolean;
  /** [outC][kernelH][kernelW][inC / group] for the plain kernel; 0 when tiles cover every use. */
  readonly plain: number;
  readonly dense: readonly DensePart[];
  readonly depthwise: readonly DepthwisePart[];
}

/** What the weights will be used for; by default everything is packed. */
export interface PackOptions {
  /** True: only for calls with non-negative x; false: only for other calls. */
  readonly nonNegative?: boolean;
}

/** Arguments of {@linkcode conv}; pointers are byte offsets in the arena. */
export interface ConvArgs {
  readonly x: number;
  readonly y: number;
  readonly packed: PackedConv;
  /** int32[outC], or 0 for none. */
  readonly bias: number;
  /** int16[outC], 0..32767; unused for int32 output. */
  readonly multiplier: number;
  /** int8[outC], 0..62; unused for int32 output. */
  readonly shift: number;
  readonly shape: ConvShape;
  readonly xType: "int8" | "int16";
  readonly yType: "int8" | "int16" | "int32";
  readonly xZero: number;
  readonly yZero: number;
  readonly qmin: number;
  readonly qmax: number;
  /** The caller guarantees that every x is 0..127 (int8) and xZero is 0: the faster dot is used. */
  readonly nonNegative?: boolean;
}

/** Packs ONNX weights [outC][inC / group][kernelH][kernelW]; values -127..127 (-128 is allowed). */
export function packConv(
  arena: Arena,
  weight: Int8Array,
  shape: ConvShape,
  options: PackOptions = {},
): PackedConv {
  checkShape("packConv", shape);
  const { outC, kernelH, kernelW } = shape, I = shape.inC / shape.group;
  expect(weight.length === outC * I * kernelH * kernelW, "packConv", `${weight.length} weights`);
  return pack(arena, shape, false, options, (o, i, ky, kx) => {
    return weight[((o * I + i) * kernelH + ky) * kernelW + kx]!;
  });
}

/** Packs ONNX ConvTranspose weights [inC][outC / group][kernelH][kernelW]. */
export function packConvTranspose(
  arena: Arena,
  weight: Int8Array,
  shape: ConvShape,
  options: PackOptions = {},
): PackedConv {
  checkShape("packConvTranspose", shape);
  const { outC, inC, group, kernelH, kernelW } = shape;
  const I = inC / group, O = outC / group;
  expect(weight.length === inC * O * kernelH * kernelW, "packConvTranspose", "weights");
  return pack(arena, shape, true, options, (o, i, ky, kx) => {
    const c = Math.floor(o / O) * I + i;
    return weight[((c * O + o % O) * kernelH + ky) * kernelW + kx]!;
  });
}

function pack(
  arena: Arena,
  s: ConvShape,
  transposed: boolean,
  options: PackOptions,
  at: WeightAt,
): PackedConv {
  const I = s.inC / s.group, T = s.kernelH * s.kernelW;
  const dilated = s.dilationH > 1 || s.dilationW > 1;
  if ((transposed && dilated) || I * T > longestWide) {
    const plain = arena.alloc(s.outC * T * I);
    const w = arena.i8(plain, s.outC * T * I);
    for (let o = 0, k = 0; o < s.outC; o++) {
      for (let t = 0; t < T; t++) {
        for (let i = 0; i < I; i++) w[k++] = at(o, i, Math.floor(t / s.kernelW), t % s.kernelW);
      }
    }
    return { shape: s, transposed, plain, dense: [], depthwise: [] };
  }
  const plans = plansOf(s, transposed);
  if (I === 1) {
    const depthwise = plans.map((p) => packDepthwise(arena, s, p, at));
    return { shape: s, transposed, plain: 0, dense: [], depthwise };
  }
  const dense = plans.map((p) => packDense(arena, s, p, at, options));
  return { shape: s, transposed, plain: 0, dense, depthwise: [] };
}

/**
 * y = clamp(requant(bias + sum (x - xZero) * w) + yZero, qmin, qmax), NHWC to NHWC. int32 output is the
 * clamped accumulator. Throws `BpuError("internal")` when an argument is out of bounds.
 */
export function conv(arena: Arena, a: ConvArgs, executor: Executor = inline): void {
  check(arena, "conv", a, false);
  run(arena, a, executor);
}

/** The same over the taps of a transposed convolution; output padding is expressed by outH and outW. */
export function convTranspose(arena: Arena, a: ConvArgs, executor: Executor = inline): void {
  check(arena, "convTranspose", a, true);
  run(arena, a, executor);
}

function run(arena: Arena, a: ConvArgs, executor: Executor): void {
  const s = a.shape, parts = a.packed.dense.length + a.packed.depthwise.length;
  const taps = s.inC / s.group * s.kernelH * s.kernelW;
  const work = outputElements(s) * taps / Math.max(1, parts);
  const mark = arena.mark();
  try {
    if (a.packed.plain !== 0) {
      const g = geometry(arena, a.shape, a.packed.transposed);
      // deno-fmt-ignore
      arena.core.convGeneric(
        a.x, a.y, a.packed.plain, a.bias, a.multiplier, a.shift, g,
        codeOf[a.xType], codeOf[a.yType], a.xZero, a.yZero, a.qmin, a.qmax,
      );
      return;
    }
    for (const part of a.packed.depthwise) {
      const inner = arena.mark();
      executor.depthwise(arena, depthwiseJob(arena, a, part), work);
      arena.release(inner);
    }
    if (a.packed.dense.length === 0) return;
    const rd8 = isNonNegative(arena, a);
    for (const part of a.packed.dense) {
      expect((rd8 ? part.rd8 : part.d16) !== 0, "conv", "the weights were packed for another use");
      const inner = arena.mark();
      executor.dense(arena, denseJob(arena, a, part, rd8), work);
      arena.release(inner);
    }
  } finally {
    arena.release(mark);
  }
}

/** Whether the faster dot is exact: asked for, packed for, and every x is 0..127. */
function isNonNegative(arena: Arena, a: ConvArgs): boolean {
  if (a.nonNegative !== true || a.xType !== "int8" || a.xZero !== 0) return false;
  if (a.packed.dense.some((p) => p.rd8 === 0)) return false;
  return arena.core.anyNegative(a.x, inputElements(a.shape)) === 0;
}

function check(arena: Arena, kernel: string, a: ConvArgs, transposed: boolean): void {
  const s = a.shape;
  checkShape(kernel, s);
  const p = a.packed.shape;
  expect(
    p.inC === s.inC && p.outC === s.outC && p.group === s.group && p.kernelH === s.kernelH &&
      p.kernelW === s.kernelW && a.packed.transposed === transposed,
    kernel,
    "the weights were packed for another shape",
  );
  region(arena, kernel, "x", a.x, inputElements(s) * bytesOf[a.xType]);
  region(arena, kernel, "y", a.y, outputElements(s) * bytesOf[a.yType]);
  aligned(kernel, "x", a.x, bytesOf[a.xType]);
  aligned(kernel, "y", a.y, bytesOf[a.yType]);
  if (a.bias !== 0) region(arena, kernel, "bias", a.bias, s.outC * 4);
  zeroPoint(kernel, a.xType, a.xZero);
  limits(kernel, a.yType, a.yZero, a.qmin, a.qmax);
  if (a.yType !== "int32") {
    region(arena, kernel, "multiplier", a.multiplier, s.outC * 2);
    region(arena, kernel, "shift", a.shift, s.outC);
    const bad = arena.core.badFactor(a.multiplier, a.shift, s.outC);
    if (bad >= 0) refuse(kernel, `the factor of channel ${bad} is out of range`);
  }
}
