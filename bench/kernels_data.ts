/**
 * Lines of kernels.ts: data movement, conversions and small products.
 *
 * @module
 */

import { Arena } from "../src/kernels/arena.ts";
import { arrayOf } from "../src/kernels/cases.ts";
import { conv, convTranspose, packConv, packConvTranspose } from "../src/kernels/conv.ts";
import { convRef, convTransposeRef } from "../src/kernels/conv_ref.ts";
import { copyStrided } from "../src/kernels/copy.ts";
import { copyStridedRef } from "../src/kernels/copy_ref.ts";
import { Histogram } from "../src/kernels/histogram.ts";
import { matmul } from "../src/kernels/matmul.ts";
import { matmulRef } from "../src/kernels/matmul_ref.ts";
import { dequantize, fakeQuantize, quantize } from "../src/kernels/quantize.ts";
import { dequantizeRef, fakeQuantizeRef, quantizeRef } from "../src/kernels/quantize_ref.ts";
import { resizeLinear, resizeNearest } from "../src/kernels/resize.ts";
import { resizeLinearRef, resizeNearestRef } from "../src/kernels/resize_ref.ts";
import { layer } from "./shapes.ts";
import { C, H, limits, type Line, N, r, random, range, W } from "./kernels_common.ts";

/** Lines of copy, resizeNearest, resizeLinear. */
export function movement(arena: Arena): Line[] {
  const lines: Line[] = [];
  for (const [type, bytes] of [["int8", 1], ["int16", 2]] as const) {
    const X = random(type, N), Y = arrayOf(type, 4 * N), x = arena.put(X), y = arena.put(Y);
    const copies = {
      "NHWC to NCHW": { dims: [C, H * W], srcStrides: [1, C], dstStrides: [H * W, 1] },
      "NCHW to NHWC": { dims: [H * W, C], srcStrides: [1, H * W], dstStrides: [C, 1] },
      "concat half of the channels": {
        dims: [H * W, C],
        srcStrides: [C, 1],
        dstStrides: [2 * C, 1],
      },
      "slice of every second column": {
        dims: [H, W / 2, C],
        srcStrides: [W * C, 2 * C, 1],
        dstStrides: [W / 2 * C, C, 1],
      },
      "pad by one": {
        dims: [H, W, C],
        srcStrides: [W * C, C, 1],
        dstStrides: [(W + 2) * C, C, 1],
      },
    };
    for (const [form, g] of Object.entries(copies)) {
      lines.push({
        group: "movement",
        row: "copy",
        form: `${type} ${form}`,
        elements: g.dims.reduce((p, d) => p * d, 1),
        kernel: () => copyStrided(arena, { ...g, elementBytes: bytes, src: x, dst: y }),
        reference: () =>
          copyStridedRef(X as unknown as Uint8Array, 0, Y as unknown as Uint8Array, 0, g),
      });
    }
    // deno-fmt-ignore
    const shape = { batch: 1, inH: H, inW: W, outH: 2 * H, outW: 2 * W, channels: C };
    const index = Int32Array.from({ length: 2 * H }, (_, i) => i >> 1);
    const next = index.map((i) => Math.min(H - 1, i + 1));
    const w = index.map((_, i) => i % 2 ? 1536 : 512);
    lines.push({
      group: "movement",
      row: "resizeNearest",
      form: `${type} to twice the size`,
      elements: 4 * N,
      kernel: () => resizeNearest(arena, { ...shape, type, x, y, indexH: index, indexW: index }),
      reference: () => resizeNearestRef(X, Y, shape, index, index),
    });
    const axis = { i0: index, i1: next, w };
    lines.push({
      group: "movement",
      row: "resizeLinear",
      form: `${type} to twice the size`,
      elements: 4 * N,
      kernel: () => resizeLinear(arena, { ...shape, type, x, y, axisH: axis, axisW: axis }),
      reference: () => resizeLinearRef(X, Y, shape, axis, axis),
    });
  }
  return lines;
}

/** Lines of quantize, dequantize, fakeQuantize and the histogram of calibration. */
export function conversion(arena: Arena): Line[] {
  const lines: Line[] = [];
  const X = Float32Array.from({ length: N }, () => r.next() / 2 ** 30 - 2), x = arena.put(X);
  const scales = new Float32Array(C).map((_, i) => 0.01 + i / 1000);
  for (const type of ["int8", "int16"] as const) {
    const scale = Math.fround(2 / range[type][1]!), [qmin, qmax] = range[type] as [number, number];
    const Q = random(type, N), Y = arrayOf(type, N), F = new Float32Array(N);
    const q = arena.put(Q), y = arena.alloc(4 * N);
    for (const per of ["tensor", "channel"] as const) {
      const g = { scale: per === "tensor" ? scale : scales, zero: 0, qmin, qmax };
      const line = (row: string, kernel: () => void, reference: () => void): Line => ({
        group: "conversion",
        row,
        form: `${type}, a scale per ${per}`,
        elements: N,
        kernel,
        reference,
      });
      lines.push(
        // deno-fmt-ignore
        line("quantize", () => quantize(arena, { ...g, x, y, n: N, yType: type }), () => quantizeRef(X, Y, g)),
        // deno-fmt-ignore
        line("dequantize", () => dequantize(arena, { x: q, y, n: N, xType: type, scale: g.scale, zero: 0 }), () => dequantizeRef(Q, F, g.scale, 0)),
        // deno-fmt-ignore
        line("fakeQuantize", () => fakeQuantize(arena, { ...g, x, y, n: N }), () => fakeQuantizeRef(X, F, g)),
      );
    }
  }
  const counts = new Float64Array(2048);
  lines.push({
    group: "conversion",
    row: null,
    form: "histogram of 2048 bins",
    elements: N,
    kernel: () => new Histogram().add(X),
    reference: () => {
      counts.fill(0);
      for (let i = 0; i < N; i++) counts[Math.min(2047, Math.floor(Math.abs(X[i]!) * 1024))]!++;
    },
  });
  return lines;
}

/** Lines of conv in its forms, convTranspose, matmul. */
export function products(arena: Arena): Line[] {
  const lines: Line[] = [];
  const groups = { conv: 1, depthwise: 16, groupConv: 4, convTranspose: 1 };
  for (const type of ["int8", "int16"] as const) {
    for (const [row, group] of Object.entries(groups)) {
      const transposed = row === "convTranspose";
      const plain = layer("", 14, 16, 16, 3, 1, group).shape;
      const shape = transposed ? { ...plain, outH: 27, outW: 27, strideH: 2, strideW: 2 } : plain;
      const weight = random("int8", 16 * 16 / group * 9) as Int8Array;
      const ny = shape.outH * shape.outW * 16, Y = arrayOf(type, ny);
      const X = random(type, 14 * 14 * 16) as Int8Array, x = arena.put(X), y = arena.put(Y);
      const multipliers = new Int16Array(16).fill(20001);
      const shifts = new Int8Array(16).fill(type === "int8" ? 25 : 27);
      const multiplier = arena.put(multipliers), shift = arena.put(shifts);
      const packed = (transposed ? packConvTranspose : packConv)(arena, weight, shape);
      const g = { shape, xZero: 0, ...limits(type) };
      lines.push({
        group: "small products",
        row,
        form: `${type} 3x3, 14x14x16`,
        elements: ny,
        // deno-fmt-ignore
        kernel: () => (transposed ? convTranspose : conv)(arena, {
          ...g, x, y, packed, bias: 0, multiplier, shift, xType: type, yType: type,
        }),
        // deno-fmt-ignore
        reference: () => (transposed ? convTransposeRef : convRef)({
          ...g, x: X, y: Y, weight, bias: null, multiplier: multipliers, shift: shifts,
        }),
      });
    }
  }
  const M = 64, A = random("int8", M * M) as Int8Array, B = random("int8", M * M) as Int8Array;
  const Y = new Int8Array(M * M), a = arena.put(A), b = arena.put(B), y = arena.put(Y);
  // deno-fmt-ignore
  const g = {
    batch: 1, M, K: M, N: M, aZero: 0, bZero: 0, yType: "int8" as const, m: 20001, s: 25, ...limits("int8"),
  };
  lines.push({
    group: "small products",
    row: "matmul",
    form: "int8 64x64x64",
    elements: M * M,
    kernel: () => matmul(arena, { ...g, a, b, y }),
    reference: () => matmulRef({ ...g, a: A, b: B, y: Y }),
  });
  return lines;
}
