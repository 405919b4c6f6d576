/**
 * Integer convolution and transposed convolution on NHWC activations (docs/arithmetic.md section 4).
 *
 * @module
 */

import type { Arena } from "./arena.ts";
import { aligned, bytesOf, codeOf, expect, limits, region, zeroPoint } from "./check.ts";
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
  /** [outC][kernelH][kernelW][inC / group]. */
  readonly plain: number;
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
export function packConv(arena: Arena, weight: Int8Array, shape: ConvShape): PackedConv {
  checkShape("packConv", shape);
  const { outC: O, kernelH, kernelW } = shape;
  const I = shape.inC / shape.group, T = kernelH * kernelW;
  expect(weight.length === O * I * T, "packConv", `${weight.length} weights for ${O}x${I}x${T}`);
  const plain = arena.alloc(weight.length);
  const w = arena.i8(plain, weight.length);
  for (let o = 0, at = 0; o < O; o++) {
    for (let i = 0; i < I; i++) {
      for (let t = 0; t < T; t++) w[(o * T + t) * I + i] = weight[at++]!;
    }
  }
  return { shape, transposed: false, plain };
}

/** Packs ONNX ConvTranspose weights [inC][outC / group][kernelH][kernelW]. */
export function packConvTranspose(arena: Arena, weight: Int8Array, shape: ConvShape): PackedConv {
  checkShape("packConvTranspose", shape);
  const { outC, inC, group, kernelH, kernelW } = shape;
  const I = inC / group, O = outC / group, T = kernelH * kernelW;
  expect(weight.length === inC * O * T, "packConvTranspose", `${weight.length} weights`);
  const plain = arena.alloc(weight.length);
  const w = arena.i8(plain, weight.length);
  for (let c = 0, at = 0; c < inC; c++) {
    const g = Math.floor(c / I), i = c % I;
    for (let o = 0; o < O; o++) {
      for (let t = 0; t < T; t++) w[((g * O + o) * T + t) * I + i] = weight[at++]!;
    }
  }
  return { shape, transposed: true, plain };
}

/**
 * y = clamp(requant(bias + sum (x - xZero) * w) + yZero, qmin, qmax), NHWC to NHWC. int32 output is the
 * clamped accumulator. Throws `BpuError("internal")` when an argument is out of bounds.
 */
export function conv(arena: Arena, a: ConvArgs): void {
  check(arena, "conv", a, false);
  run(arena, a);
}

/** The same over the taps of a transposed convolution; output padding is expressed by outH and outW. */
export function convTranspose(arena: Arena, a: ConvArgs): void {
  check(arena, "convTranspose", a, true);
  run(arena, a);
}

function run(arena: Arena, a: ConvArgs): void {
  const g = geometry(arena, a.shape, a.packed.transposed);
  // deno-fmt-ignore
  arena.core.convGeneric(
    a.x, a.y, a.packed.plain, a.bias, a.multiplier, a.shift, g,
    codeOf[a.xType], codeOf[a.yType], a.xZero, a.yZero, a.qmin, a.qmax,
  );
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
    const m = arena.i16(a.multiplier, s.outC), h = arena.i8(a.shift, s.outC);
    for (let c = 0; c < s.outC; c++) {
      expect(m[c]! >= 0 && h[c]! >= 0 && h[c]! <= 62, kernel, `factor of channel ${c}`);
    }
  }
}
