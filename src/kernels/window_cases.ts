/**
 * Random cases of pools, reductions, softmax and resize.
 *
 * @module
 */

import { arrayOf, type Case, inArena, type KernelRow, type Random } from "./cases.ts";
import { avgPool, maxPool, type PoolShape } from "./pool.ts";
import { avgPoolRef, maxPoolRef } from "./pool_ref.ts";
import { argmax, reduceMax, reduceMin, reduceSum } from "./reduce.ts";
import { argmaxRef, reduceMaxRef, reduceMinRef, reduceSumRef } from "./reduce_ref.ts";
import { type LinearAxis, resizeLinear, resizeNearest } from "./resize.ts";
import { resizeLinearRef, resizeNearestRef } from "./resize_ref.ts";
import { softmax, softmaxExps } from "./softmax.ts";
import { softmaxRef } from "./softmax_ref.ts";

function poolShape(r: Random): PoolShape {
  const kernelH = r.int(1, 4), kernelW = r.chance(0.7) ? kernelH : r.int(1, 4);
  const strideH = r.int(1, 3), strideW = r.int(1, 3);
  const dilationH = r.chance(0.8) ? 1 : 2, dilationW = dilationH;
  const pad = () => r.chance(0.5) ? 0 : r.int(0, 2);
  const [padTop, padLeft, padBottom, padRight] = [pad(), pad(), pad(), pad()];
  const reachH = (kernelH - 1) * dilationH + 1, reachW = (kernelW - 1) * dilationW + 1;
  const inH = Math.max(r.int(1, 9), reachH - padTop - padBottom);
  const inW = Math.max(r.int(1, 9), reachW - padLeft - padRight);
  return {
    batch: r.int(1, 2),
    inH,
    inW,
    inC: r.int(1, 40),
    outH: Math.floor((inH + padTop + padBottom - reachH) / strideH) + 1,
    outW: Math.floor((inW + padLeft + padRight - reachW) / strideW) + 1,
    // deno-fmt-ignore
    ...{ kernelH, kernelW, strideH, strideW, padTop, padLeft, padBottom, padRight, dilationH, dilationW },
  };
}

function maxPoolCase(r: Random): Case {
  const shape = poolShape(r), type = r.pick(["int8", "int8", "int16"] as const);
  const nx = shape.batch * shape.inH * shape.inW * shape.inC;
  const ny = shape.batch * shape.outH * shape.outW * shape.inC;
  const x = type === "int8" ? r.int8(nx) : r.int16(nx);
  const { qmin, qmax } = r.limits(type);
  return {
    params: { shape, type, qmin, qmax },
    inputs: { x },
    kernel: (arena) =>
      inArena(arena, [x], arrayOf(type, ny), ([px], y) => {
        maxPool(arena, { x: px!, y, shape, type, qmin, qmax });
      }),
    reference: () => {
      const y = arrayOf(type, ny);
      maxPoolRef(x, y, shape, qmin, qmax);
      return y;
    },
  };
}

function avgPoolCase(r: Random): Case {
  const shape = poolShape(r), xType = r.pick(["int8", "int8", "int16"] as const);
  const yType = r.pick(["int8", "int8", "int16", "int32"] as const);
  const nx = shape.batch * shape.inH * shape.inW * shape.inC;
  const ny = shape.batch * shape.outH * shape.outW * shape.inC;
  const x = xType === "int8" ? r.int8(nx) : r.int16(nx);
  const xZero = xType === "int8" && r.chance(0.3) ? r.int(-128, 127) : 0;
  const k = shape.kernelH * shape.kernelW;
  const multipliers = new Int16Array(k + 1), shifts = new Int8Array(k + 1);
  for (let n = 0; n <= k; n++) {
    const f = r.factor((n + 1) * (xType === "int8" ? 60 : 16000), yType === "int8" ? 60 : 16000);
    multipliers[n] = f.m;
    shifts[n] = f.s;
  }
  const countIncludePad = r.chance(0.5);
  const g = { shape, xType, yType, xZero, countIncludePad, ...r.limits(yType) };
  return {
    params: g,
    inputs: { x, multipliers, shifts },
    kernel: (arena) =>
      inArena(arena, [x, multipliers, shifts], arrayOf(yType, ny), ([px, pm, ps], y) => {
        avgPool(arena, { ...g, x: px!, y, multipliers: pm!, shifts: ps! });
      }),
    reference: () => {
      const y = arrayOf(yType, ny);
      avgPoolRef(x, y, multipliers, shifts, g);
      return y;
    },
  };
}

function view(r: Random, least: number) {
  return {
    outer: r.int(1, 5),
    reduce: r.int(least, r.chance(0.3) ? 90 : 12),
    inner: r.chance(0.4) ? 1 : r.int(1, 40),
  };
}

function reduceSumCase(r: Random): Case {
  const v = view(r, 0), nx = v.outer * v.reduce * v.inner, ny = v.outer * v.inner;
  const xType = r.pick(["int8", "int8", "int16", "int32"] as const);
  const yType = r.pick(["int8", "int8", "int16", "int32"] as const);
  const x = xType === "int8" ? r.int8(nx) : xType === "int16" ? r.int16(nx) : r.int32(nx);
  const xZero = xType === "int8" && r.chance(0.3) ? r.int(-128, 127) : 0;
  const one = xType === "int8" ? 60 : xType === "int16" ? 16000 : 2 ** 30;
  const f = r.factor((v.reduce + 1) * one, yType === "int8" ? 60 : 16000);
  const g = { ...v, xType, yType, xZero, ...f, ...r.limits(yType) };
  return {
    params: g,
    inputs: { x },
    kernel: (arena) =>
      inArena(arena, [x], arrayOf(yType, ny), ([px], y) => reduceSum(arena, { ...g, x: px!, y })),
    reference: () => {
      const y = arrayOf(yType, ny);
      reduceSumRef(x, y, g);
      return y;
    },
  };
}

function reduceMaxCase(r: Random, minimum: boolean): Case {
  const v = view(r, 1), type = r.pick(["int8", "int8", "int16", "int32"] as const);
  const nx = v.outer * v.reduce * v.inner, ny = v.outer * v.inner;
  const x = type === "int8" ? r.int8(nx) : type === "int16" ? r.int16(nx) : r.int32(nx);
  return {
    params: { ...v, type },
    inputs: { x },
    kernel: (arena) =>
      inArena(arena, [x], arrayOf(type, ny), ([px], y) => {
        (minimum ? reduceMin : reduceMax)(arena, { ...v, type, x: px!, y });
      }),
    reference: () => {
      const y = arrayOf(type, ny);
      (minimum ? reduceMinRef : reduceMaxRef)(x, y, v);
      return y;
    },
  };
}

function argmaxCase(r: Random): Case {
  const v = view(r, 1), xType = r.pick(["int8", "int8", "int16", "int32"] as const);
  const nx = v.outer * v.reduce * v.inner, ny = v.outer * v.inner;
  const x = xType === "int8" ? r.int8(nx) : xType === "int16" ? r.int16(nx) : r.int32(nx);
  const g = { ...v, xType, selectLast: r.chance(0.3), minimum: r.chance(0.3) };
  return {
    params: g,
    inputs: { x },
    kernel: (arena) =>
      inArena(arena, [x], new Int32Array(ny), ([px], y) => argmax(arena, { ...g, x: px!, y })),
    reference: () => {
      const y = new Int32Array(ny);
      argmaxRef(x, y, g);
      return y;
    },
  };
}

function softmaxCase(r: Random): Case {
  const v = view(r, 1), n = v.outer * v.reduce * v.inner;
  const yType = r.chance(0.8) ? "int8" as const : "int16" as const;
  const x = r.int8(n), exps = softmaxExps(10 ** (r.next() / 2 ** 32 * 4 - 3));
  const g = { ...v, yType, h: r.pick([8, 8, 8, 7, 0, 15]), ...r.limits(yType) };
  return {
    params: g,
    inputs: { x, exps },
    kernel: (arena) =>
      inArena(arena, [x, exps], arrayOf(yType, n), ([px, pe], y) => {
        softmax(arena, { ...g, x: px!, y, exps: pe! });
      }),
    reference: () => {
      const y = arrayOf(yType, n);
      softmaxRef(x, y, exps, g);
      return y;
    },
  };
}

function resizeCase(r: Random, linear: boolean): Case {
  const type = r.pick(["int8", "int8", "int16"] as const);
  // deno-fmt-ignore
  const shape = {
    batch: r.int(1, 2), inH: r.int(1, 7), inW: r.int(1, 7), outH: r.int(1, 9), outW: r.int(1, 9), channels: r.int(1, 40),
  };
  const nx = shape.batch * shape.inH * shape.inW * shape.channels;
  const ny = shape.batch * shape.outH * shape.outW * shape.channels;
  const x = type === "int8" ? r.int8(nx) : r.int16(nx);
  const index = (n: number, size: number) =>
    Int32Array.from({ length: n }, () => r.int(0, size - 1));
  const out = arrayOf(type, ny);
  if (!linear) {
    const indexH = index(shape.outH, shape.inH), indexW = index(shape.outW, shape.inW);
    return {
      params: { ...shape, type },
      inputs: { x, indexH, indexW },
      kernel: (arena) =>
        inArena(arena, [x], out, ([px], y) => {
          resizeNearest(arena, { ...shape, type, x: px!, y, indexH, indexW });
        }),
      reference: () => {
        const y = arrayOf(type, ny);
        resizeNearestRef(x, y, shape, indexH, indexW);
        return y;
      },
    };
  }
  const axis = (n: number, size: number): LinearAxis => {
    const i0 = index(n, size), w = r.ints(new Int32Array(n), 0, 2048);
    return { i0, i1: i0.map((i) => Math.min(size - 1, i + 1)), w };
  };
  const axisH = axis(shape.outH, shape.inH), axisW = axis(shape.outW, shape.inW);
  return {
    params: { ...shape, type },
    inputs: {
      x,
      ...{ h0: axisH.i0, h1: axisH.i1, wh: axisH.w, w0: axisW.i0, w1: axisW.i1, ww: axisW.w },
    },
    kernel: (arena) =>
      inArena(arena, [x], out, ([px], y) => {
        resizeLinear(arena, { ...shape, type, x: px!, y, axisH, axisW });
      }),
    reference: () => {
      const y = arrayOf(type, ny);
      resizeLinearRef(x, y, shape, axisH, axisW);
      return y;
    },
  };
}

export const windowRows: readonly KernelRow[] = [
  { name: "maxPool", section: 7, weight: 1, make: maxPoolCase },
  { name: "avgPool", section: 7, weight: 2, make: avgPoolCase },
  { name: "reduceSum", section: 7, weight: 2, make: reduceSumCase },
  { name: "reduceMax", section: 7, weight: 1, make: (r) => reduceMaxCase(r, false) },
  { name: "reduceMin", section: 7, weight: 1, make: (r) => reduceMaxCase(r, true) },
  { name: "argmax", section: 7, weight: 1, make: argmaxCase },
  { name: "softmax", section: 9, weight: 2, make: softmaxCase },
  { name: "resizeNearest", section: 8, weight: 1, make: (r) => resizeCase(r, false) },
  { name: "resizeLinear", section: 8, weight: 1, make: (r) => resizeCase(r, true) },
];
