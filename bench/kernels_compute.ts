/**
 * Lines of kernels.ts: elementwise kernels, tables, pools and reductions.
 *
 * @module
 */

import { Arena } from "../src/kernels/arena.ts";
import { arrayOf } from "../src/kernels/cases.ts";
import { add2, type AddArgs, max2, min2, mul2 } from "../src/kernels/elementwise.ts";
import { add2Ref, max2Ref, min2Ref, mul2Ref } from "../src/kernels/elementwise_ref.ts";
import { inverseRoots, layerNorm } from "../src/kernels/layer_norm.ts";
import { layerNormRef } from "../src/kernels/layer_norm_ref.ts";
import { lut16, lut8, lut8to16 } from "../src/kernels/lut.ts";
import { lut16Ref, lut8Ref, lut8to16Ref } from "../src/kernels/lut_ref.ts";
import { avgPool, maxPool } from "../src/kernels/pool.ts";
import { avgPoolRef, maxPoolRef } from "../src/kernels/pool_ref.ts";
import { prelu } from "../src/kernels/prelu.ts";
import { preluRef } from "../src/kernels/prelu_ref.ts";
import { argmax, reduceMax, reduceMin, reduceSum } from "../src/kernels/reduce.ts";
import { argmaxRef, reduceMaxRef, reduceMinRef, reduceSumRef } from "../src/kernels/reduce_ref.ts";
import { requant } from "../src/kernels/requant.ts";
import { requantRef } from "../src/kernels/requant_ref.ts";
import { softmax, softmaxExps } from "../src/kernels/softmax.ts";
import { softmaxRef } from "../src/kernels/softmax_ref.ts";
import { layer } from "./shapes.ts";
import { C, H, limits, type Line, N, random, W } from "./kernels_common.ts";

/** Lines of add, mul, max, min, requant, prelu. */
export function elementwise(arena: Arena): Line[] {
  const lines: Line[] = [];
  const dims = [H * W, C], dense = [C, 1];
  for (const type of ["int8", "int16"] as const) {
    for (const form of ["same shape", "by channel"] as const) {
      const bStrides = form === "same shape" ? dense : [0, 1];
      const A = random(type, N), B = random(type, form === "same shape" ? N : C);
      const Y = arrayOf(type, N), a = arena.put(A), b = arena.put(B), y = arena.put(Y);
      // deno-fmt-ignore
      const g = {
        aType: type, bType: type, yType: type, dims, aStrides: dense, bStrides, yStrides: dense,
        m1: 20001, m2: 17003, m: 20001, s: type === "int8" ? 15 : 16, aZero: 0, bZero: 0, ...limits(type),
      };
      const forms = {
        add: [add2, add2Ref],
        mul: [mul2, mul2Ref],
        max: [max2, max2Ref],
        min: [min2, min2Ref],
      };
      for (const [row, [kernel, reference]] of Object.entries(forms)) {
        const s = row === "mul" ? (type === "int8" ? 21 : 29) : g.s;
        lines.push({
          group: "elementwise",
          row,
          form: `${type}, ${form}`,
          elements: N,
          kernel: () => (kernel as typeof add2)(arena, { ...g, s, a, b, y } as AddArgs),
          reference: () => (reference as typeof add2Ref)({ ...g, s, a: A, b: B, y: Y }),
        });
      }
    }
    const X = random(type, N), Y = arrayOf(type, N), x = arena.put(X), y = arena.put(Y);
    const factor = { m: 20001, s: 15, xZero: 0, ...limits(type) };
    lines.push({
      group: "elementwise",
      row: "requant",
      form: type,
      elements: N,
      kernel: () => requant(arena, { x, y, n: N, xType: type, yType: type, ...factor }),
      reference: () => requantRef({ x: X, y: Y, xType: type, yType: type, ...factor }),
    });
    const mNegs = new Int16Array(C).fill(3001), sNegs = new Int8Array(C).fill(15);
    const mNeg = arena.put(mNegs), sNeg = arena.put(sNegs);
    // deno-fmt-ignore
    const p = {
      xType: type, yType: type, outer: H * W, channels: C, inner: 1, mPos: 20001, sPos: 15, xZero: 0, ...limits(type),
    };
    lines.push({
      group: "elementwise",
      row: "prelu",
      form: type,
      elements: N,
      kernel: () => prelu(arena, { ...p, x, y, mNeg, sNeg }),
      reference: () =>
        preluRef({ ...p, x: X as Int8Array, y: Y as Int8Array, mNeg: mNegs, sNeg: sNegs }),
    });
  }
  const X = random("int32", N) as Int32Array, Y = new Int8Array(N), x = arena.put(X);
  const y = arena.put(Y), factor = { m: 20001, s: 35, xZero: 0, ...limits("int8") };
  lines.push({
    group: "elementwise",
    row: "requant",
    form: "int32 to int8",
    elements: N,
    kernel: () => requant(arena, { x, y, n: N, xType: "int32", yType: "int8", ...factor }),
    reference: () => requantRef({ x: X, y: Y, xType: "int32", yType: "int8", ...factor }),
  });
  return lines;
}

/** Lines of lut8, lut8to16, lut16. */
export function tables(arena: Arena): Line[] {
  const X = random("int8", N) as Int8Array, X16 = random("int16", N) as Int16Array;
  const t8 = random("int8", 256) as Int8Array, t16 = random("int16", 256) as Int16Array;
  const t513 = random("int16", 513) as Int16Array;
  const x = arena.put(X), x16 = arena.put(X16), y = arena.alloc(2 * N);
  const [p8, p16, p513] = [t8, t16, t513].map((t) => arena.put(t)) as [number, number, number];
  const line = (row: string, form: string, kernel: () => void, reference: () => unknown): Line => ({
    group: "tables",
    row,
    form,
    elements: N,
    kernel,
    reference: () => void reference(),
  });
  return [
    // deno-fmt-ignore
    line("lut8", "int8", () => lut8(arena, { x, y, table: p8, n: N }), () => lut8Ref(X, t8)),
    // deno-fmt-ignore
    line("lut8to16", "int8 to int16", () => lut8to16(arena, { x, y, table: p16, n: N }), () => lut8to16Ref(X, t16)),
    // deno-fmt-ignore
    line("lut16", "int16", () => lut16(arena, { x: x16, y, table: p513, n: N }), () => lut16Ref(X16, t513)),
  ];
}

/** Lines of maxPool, avgPool. */
export function pooling(arena: Arena): Line[] {
  const lines: Line[] = [];
  for (const type of ["int8", "int16"] as const) {
    for (const [form, k, stride] of [["3x3 stride 2", 3, 2], ["2x2 stride 2", 2, 2]] as const) {
      const { shape } = layer("", H, C, C, k, stride, C);
      const ny = shape.outH * shape.outW * C;
      const X = random(type, N), Y = arrayOf(type, ny), x = arena.put(X), y = arena.put(Y);
      const ms = new Int16Array(k * k + 1).map((_, i) => Math.round(32768 / (i + 1)));
      const ss = new Int8Array(k * k + 1).fill(16);
      const multipliers = arena.put(ms), shifts = arena.put(ss), lim = limits(type);
      lines.push({
        group: "pooling",
        row: "maxPool",
        form: `${type} ${form}`,
        elements: N,
        kernel: () => maxPool(arena, { x, y, shape, type }),
        reference: () => maxPoolRef(X, Y, shape, lim.qmin, lim.qmax),
      });
      const g = { shape, xType: type, yType: type, xZero: 0, countIncludePad: false, ...lim };
      lines.push({
        group: "pooling",
        row: "avgPool",
        form: `${type} ${form}`,
        elements: N,
        kernel: () => avgPool(arena, { ...g, x, y, multipliers, shifts }),
        reference: () => avgPoolRef(X, Y, ms, ss, g),
      });
    }
  }
  return lines;
}

/** Lines of layerNorm, with the mean and without. */
export function normalisation(arena: Arena): Line[] {
  const lines: Line[] = [];
  const n = 4 * C, M = random("int16", n) as Int16Array, B = random("int32", n) as Int32Array;
  const m = arena.put(M), b = arena.put(B), roots = arena.put(inverseRoots);
  for (const type of ["int8", "int16"] as const) {
    for (const mean of [true, false]) {
      const X = random(type, N) as Int8Array | Int16Array, Y = arrayOf(type, N);
      const x = arena.put(X), y = arena.put(Y);
      // deno-fmt-ignore
      const g = {
        rows: N / n, n, xType: type, yType: type, xZero: 0, mean, epsilon: 1000, s: type === "int8" ? 26 : 18,
        ...limits(type),
      };
      lines.push({
        group: "reductions",
        row: "layerNorm",
        form: `${type} rows of ${n}${mean ? "" : " without their mean"}`,
        elements: N,
        kernel: () => layerNorm(arena, { ...g, x, y, m, b, roots }),
        reference: () => layerNormRef(X, Y, M, B, g),
      });
    }
  }
  return lines;
}

/** Lines of reduceSum, reduceMax, reduceMin, argmax, softmax. */
export function reductions(arena: Arena): Line[] {
  const lines: Line[] = [];
  const views = {
    "over the picture": { outer: 1, reduce: H * W, inner: C },
    "over channels": { outer: H * W, reduce: C, inner: 1 },
  };
  for (const type of ["int8", "int16"] as const) {
    const X = random(type, N), x = arena.put(X), y = arena.alloc(N * 2);
    for (const [name, v] of Object.entries(views)) {
      const ny = v.outer * v.inner, Y = arrayOf(type, ny), I = new Int32Array(ny);
      const g = { ...v, xType: type, yType: type, xZero: 0, m: 20001, s: 26, ...limits(type) };
      const index = { ...v, xType: type, selectLast: false, minimum: false };
      const line = (row: string, kernel: () => void, reference: () => void): Line => ({
        group: "reductions",
        row,
        form: `${type} ${name}`,
        elements: N,
        kernel,
        reference,
      });
      lines.push(
        line("reduceSum", () => reduceSum(arena, { ...g, x, y }), () => reduceSumRef(X, Y, g)),
        line(
          "reduceMax",
          () => reduceMax(arena, { ...v, type, x, y }),
          () => reduceMaxRef(X, Y, v),
        ),
        line(
          "reduceMin",
          () => reduceMin(arena, { ...v, type, x, y }),
          () => reduceMinRef(X, Y, v),
        ),
        line("argmax", () => argmax(arena, { ...index, x, y }), () => argmaxRef(X, I, index)),
      );
    }
  }
  const X = random("int8", N) as Int8Array, x = arena.put(X), E = softmaxExps(0.05);
  const exps = arena.put(E), y = arena.alloc(N), Y = new Int8Array(N);
  for (const [name, v] of Object.entries(views)) {
    const g = { ...v, yType: "int8" as const, h: 8, qmin: -128, qmax: 127 };
    lines.push({
      group: "reductions",
      row: "softmax",
      form: `int8 ${name}`,
      elements: N,
      kernel: () => softmax(arena, { ...g, x, y, exps }),
      reference: () => softmaxRef(X, Y, E, g),
    });
  }
  return lines;
}
