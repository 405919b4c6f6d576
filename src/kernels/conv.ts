/**
 * Integer convolution and transposed convolution on NHWC activations (docs/arithmetic.md section 4).
 *
 * @module
 */

import type { Arena } from "./arena.ts";
import {
  denseEnds,
  type DenseJob,
  denseJob,
  type DensePart,
  longestWide,
  packDense,
} from "./conv_dense.ts";
import {
  type DepthwiseJob,
  depthwiseJob,
  type DepthwisePart,
  packDepthwise,
} from "./conv_depthwise.ts";
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
  /** Sum of each output channel's weight magnitudes, int32[outC]; 0 when not known. */
  readonly sums: number;
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
  const sums = new Int32Array(outC), each = I * kernelH * kernelW;
  for (let k = 0; k < weight.length; k++) sums[Math.floor(k / each)]! += Math.abs(weight[k]!);
  return pack(arena, shape, false, options, sums, (o, i, ky, kx) => {
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
  const sums = new Int32Array(outC), T = kernelH * kernelW;
  for (let k = 0; k < weight.length; k++) {
    const t = Math.floor(k / T), o = Math.floor(Math.floor(t / O) / I) * O + t % O;
    sums[o]! += Math.abs(weight[k]!);
  }
  return pack(arena, shape, true, options, sums, (o, i, ky, kx) => {
    const c = Math.floor(o / O) * I + i;
    return weight[((c * O + o % O) * kernelH + ky) * kernelW + kx]!;
  });
}

function pack(
  arena: Arena,
  s: ConvShape,
  transposed: boolean,
  options: PackOptions,
  magnitudes: Int32Array,
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
    return { shape: s, transposed, plain, sums: 0, dense: [], depthwise: [] };
  }
  const plans = plansOf(s, transposed), sums = arena.put(magnitudes);
  if (I === 1) {
    const depthwise = plans.map((p) => packDepthwise(arena, s, p, at));
    return { shape: s, transposed, plain: 0, sums, dense: [], depthwise };
  }
  const dense = plans.map((p) => packDense(arena, s, p, at, options));
  return { shape: s, transposed, plain: 0, sums, dense, depthwise: [] };
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

/** A convolution with its tables and job blocks in arena memory, for many runs. */
export interface PlannedConv {
  readonly args: ConvArgs;
  /** Geometry of the plain kernel; 0 when tiles are used. */
  readonly geometry: number;
  /** Jobs for non-negative x. */
  readonly rd8: boolean;
  readonly dense: readonly DenseJob[];
  readonly depthwise: readonly DepthwiseJob[];
  /** Multiply-adds per job. */
  readonly work: number;
}

/**
 * Does once what {@linkcode conv} does before it computes; {@linkcode runConv} then runs it. Allocates in the arena,
 * keep it. Buffers, biases and factors must stay where they are; biases and factors must not change.
 */
export function planConv(arena: Arena, a: ConvArgs): PlannedConv {
  check(arena, "conv", a, false);
  return planned(arena, a);
}

/** The same for {@linkcode convTranspose}. */
export function planConvTranspose(arena: Arena, a: ConvArgs): PlannedConv {
  check(arena, "convTranspose", a, true);
  return planned(arena, a);
}

/** Runs a planned convolution on what its buffers hold now. */
export function runConv(arena: Arena, p: PlannedConv, executor: Executor = inline): void {
  const mark = arena.mark();
  try {
    perform(arena, p, executor);
  } finally {
    arena.release(mark);
  }
}

function run(arena: Arena, a: ConvArgs, executor: Executor): void {
  const mark = arena.mark();
  try {
    perform(arena, planned(arena, a), executor);
  } finally {
    arena.release(mark);
  }
}

function planned(arena: Arena, a: ConvArgs): PlannedConv {
  const s = a.shape, parts = a.packed.dense.length + a.packed.depthwise.length;
  const taps = s.inC / s.group * s.kernelH * s.kernelW;
  const rd8 = a.nonNegative === true && a.xType === "int8" && a.xZero === 0 &&
    a.packed.dense.every((p) => p.rd8 !== 0);
  return {
    args: a,
    geometry: a.packed.plain === 0 ? 0 : geometry(arena, s, a.packed.transposed),
    rd8,
    dense: denseJobs(arena, a, rd8),
    depthwise: a.packed.depthwise.map((part) => depthwiseJob(arena, a, part)),
    work: outputElements(s) * taps / Math.max(1, parts),
  };
}

function denseJobs(arena: Arena, a: ConvArgs, rd8: boolean): DenseJob[] {
  if (a.packed.dense.length === 0) return [];
  const ends = denseEnds(arena, a);
  return a.packed.dense.map((part) => {
    expect((rd8 ? part.rd8 : part.d16) !== 0, "conv", "the weights were packed for another use");
    return denseJob(arena, a, part, rd8, ends);
  });
}

/** Takes scratch that the caller releases. */
function perform(arena: Arena, p: PlannedConv, executor: Executor): void {
  const a = p.args;
  if (p.geometry !== 0) {
    // deno-fmt-ignore
    arena.core.convGeneric(
      a.x, a.y, a.packed.plain, a.bias, a.multiplier, a.shift, p.geometry,
      codeOf[a.xType], codeOf[a.yType], a.xZero, a.yZero, a.qmin, a.qmax,
    );
    return;
  }
  // The faster dot is exact for 0..127 only: a wrong promise takes the other one.
  const broken = p.rd8 && p.dense.length > 0 &&
    arena.core.anyNegative(a.x, inputElements(a.shape)) !== 0;
  const dense = broken ? denseJobs(arena, a, false) : p.dense;
  const inner = arena.mark();
  for (const job of p.depthwise) {
    executor.depthwise(arena, job, p.work);
    arena.release(inner);
  }
  for (const job of dense) {
    executor.dense(arena, job, p.work);
    arena.release(inner);
  }
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
