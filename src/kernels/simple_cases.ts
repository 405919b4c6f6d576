/**
 * Random cases of the elementwise kernels, tables and conversions.
 *
 * @module
 */

import { arrayOf, type Case, inArena, type KernelRow, type Random } from "./cases.ts";
import { type CopyArgs, copyStrided } from "./copy.ts";
import { copyStridedRef } from "./copy_ref.ts";
import { add2, type AddArgs, max2, min2, mul2 } from "./elementwise.ts";
import { add2Ref, max2Ref, min2Ref, mul2Ref } from "./elementwise_ref.ts";
import { lut16, lut8, lut8to16 } from "./lut.ts";
import { lut16Ref, lut8Ref, lut8to16Ref } from "./lut_ref.ts";
import { matmul } from "./matmul.ts";
import { matmulRef } from "./matmul_ref.ts";
import { prelu } from "./prelu.ts";
import { preluRef } from "./prelu_ref.ts";
import { dequantize, fakeQuantize, quantize } from "./quantize.ts";
import { dequantizeRef, fakeQuantizeRef, quantizeRef } from "./quantize_ref.ts";
import { requant } from "./requant.ts";
import { requantRef } from "./requant_ref.ts";
import { stridesOf } from "../ir/tensor.ts";

const narrow = ["int8", "int8", "int8", "int16"] as const;
const wide = ["int8", "int8", "int8", "int16", "int32"] as const;

function values(r: Random, type: "int8" | "int16" | "int32", n: number) {
  return type === "int8" ? r.int8(n) : type === "int16" ? r.int16(n) : r.int32(n);
}

function zeroOf(r: Random, type: string): number {
  return type === "int8" && r.chance(0.3) ? r.int(-128, 127) : 0;
}

/** Dims with strides of two operands that repeat along some of them. */
function broadcast(r: Random) {
  const rank = r.int(1, 4);
  const dims = Array.from({ length: rank }, () => r.int(1, rank === 1 ? 200 : 9));
  if (r.chance(0.4)) dims[rank - 1] = r.int(8, 70);
  const walk = () => {
    const kind = r.int(0, 5);
    const own = dims.map((d, i) =>
      kind < 2 ? d : kind === 2 ? (i === rank - 1 ? d : 1) : kind === 3 ? 1 : r.chance(0.5) ? d : 1
    );
    const strides = stridesOf(own).map((s, i) => own[i] === 1 ? 0 : s);
    return { strides, n: own.reduce((p, d) => p * d, 1) };
  };
  return { dims, a: walk(), b: walk(), yStrides: stridesOf(dims) };
}

function binaryCase(r: Random, op: "add2" | "mul2" | "max2" | "min2"): Case {
  const { dims, a, b, yStrides } = broadcast(r);
  const extreme = op === "max2" || op === "min2";
  const aType = r.pick(op === "mul2" ? narrow : wide);
  const bType = extreme || r.chance(0.7) ? aType : r.pick(op === "mul2" ? narrow : wide);
  const yType = extreme ? aType : r.pick(wide);
  const A = values(r, aType, a.n), B = values(r, bType, b.n);
  const reach = (t: string) => t === "int8" ? 100 : t === "int16" ? 20000 : 2 ** 30;
  const target = yType === "int8" ? 100 : yType === "int16" ? 20000 : 2 ** 29;
  const f = r.factor(
    op === "mul2" ? reach(aType) * reach(bType) : Math.max(reach(aType), reach(bType)),
    target,
  );
  const sign = () => r.chance(0.3) ? -1 : 1;
  const m1 = f.m * sign(), m2 = r.int(0, 32767) * sign();
  const limits = extreme ? { yZero: 0, qmin: 0, qmax: 0 } : r.limits(yType);
  // deno-fmt-ignore
  const params = {
    aType, bType, yType, dims, aStrides: a.strides, bStrides: b.strides, yStrides,
    ...(extreme ? {} : {
      ...(op === "add2" ? { m1, m2 } : { m: m1 }),
      s: f.s, aZero: zeroOf(r, aType), bZero: zeroOf(r, bType), ...limits,
    }),
  };
  const n = dims.reduce((p, d) => p * d, 1);
  const run = { add2, mul2, max2, min2 }[op] as typeof add2;
  const ref = { add2: add2Ref, mul2: mul2Ref, max2: max2Ref, min2: min2Ref }[op] as typeof add2Ref;
  return {
    params,
    inputs: { a: A, b: B },
    kernel: (arena) =>
      inArena(arena, [A, B], arrayOf(yType, n), ([pa, pb], y) => {
        run(arena, { ...params, a: pa!, b: pb!, y } as unknown as AddArgs);
      }),
    reference: () => {
      const y = arrayOf(yType, n);
      ref({ ...params, a: A, b: B, y } as unknown as Parameters<typeof add2Ref>[0]);
      return y;
    },
  };
}

function requantCase(r: Random): Case {
  const n = r.int(0, 300);
  const xType = r.pick(["int8", "uint8", "int16", "int32"] as const), yType = r.pick(wide);
  const x = xType === "uint8" ? r.ints(new Uint8Array(n), 0, 255) : values(r, xType, n);
  const xZero = xType === "uint8" ? r.pick([0, 128]) : zeroOf(r, xType);
  const reach = xType === "int32" ? 2 ** r.int(8, 31) : xType === "int16" ? 20000 : 100;
  const f = r.factor(reach, yType === "int8" ? 100 : yType === "int16" ? 20000 : 2 ** 29);
  const p = { xType, yType, xZero, m: r.chance(0.1) ? -f.m : f.m, s: f.s, ...r.limits(yType) };
  return {
    params: { n, ...p },
    inputs: { x },
    kernel: (arena) =>
      inArena(arena, [x], arrayOf(yType, n), ([px], y) => requant(arena, { ...p, n, x: px!, y })),
    reference: () => {
      const y = arrayOf(yType, n);
      requantRef({ ...p, x, y });
      return y;
    },
  };
}

function preluCase(r: Random): Case {
  const outer = r.int(1, 6), channels = r.int(1, 20), inner = r.chance(0.6) ? 1 : r.int(1, 9);
  const n = outer * channels * inner, xType = r.pick(narrow), yType = r.pick(narrow);
  const x = xType === "int8" ? r.int8(n) : r.int16(n);
  const f = r.factor(xType === "int8" ? 100 : 20000, yType === "int8" ? 100 : 20000);
  const mNeg = r.int16(channels, -32767, 32767), sNeg = new Int8Array(channels);
  for (let c = 0; c < channels; c++) sNeg[c] = Math.min(62, Math.max(0, f.s + r.int(-2, 4)));
  // deno-fmt-ignore
  const p = {
    xType, yType, outer, channels, inner, mPos: f.m, sPos: f.s, xZero: zeroOf(r, xType), ...r.limits(yType),
  };
  return {
    params: p,
    inputs: { x, mNeg, sNeg },
    kernel: (arena) =>
      inArena(arena, [x, mNeg, sNeg], arrayOf(yType, n), ([px, pm, ps], y) => {
        prelu(arena, { ...p, x: px!, y, mNeg: pm!, sNeg: ps! });
      }),
    reference: () => {
      const y = arrayOf(yType, n);
      preluRef({ ...p, x, y, mNeg, sNeg });
      return y;
    },
  };
}

function lutCase(r: Random, kind: "lut8" | "lut8to16" | "lut16"): Case {
  const n = r.int(0, 300);
  if (kind === "lut16") {
    const x = r.int16(n), table = r.int16(513);
    return {
      params: { n },
      inputs: { x, table },
      kernel: (arena) =>
        inArena(arena, [x, table], new Int16Array(n), ([px, t], y) => {
          lut16(arena, { x: px!, y, table: t!, n });
        }),
      reference: () => lut16Ref(x, table),
    };
  }
  const x = r.int8(n), table = kind === "lut8" ? r.int8(256) : r.int16(256);
  return {
    params: { n },
    inputs: { x, table },
    kernel: (arena) =>
      inArena(arena, [x, table], arrayOf(kind === "lut8" ? "int8" : "int16", n), ([px, t], y) => {
        (kind === "lut8" ? lut8 : lut8to16)(arena, { x: px!, y, table: t!, n });
      }),
    reference: () => table instanceof Int8Array ? lut8Ref(x, table) : lut8to16Ref(x, table),
  };
}

function matmulCase(r: Random): Case {
  const batch = r.int(1, 3), M = r.int(1, 12), K = r.int(1, 50), N = r.int(1, 30);
  const yType = r.pick(wide), repeat = r.chance(0.2);
  const a = r.int8(batch * M * K), b = r.int8((repeat ? 1 : batch) * K * N);
  const f = r.factor(Math.sqrt(K) * 5000, yType === "int8" ? 100 : 20000);
  // deno-fmt-ignore
  const p = {
    batch, M, K, N, aZero: zeroOf(r, "int8"), bZero: zeroOf(r, "int8"), yType, ...f, ...r.limits(yType),
    ...(repeat ? { bBatchStride: 0 } : {}),
  };
  return {
    params: p,
    inputs: { a, b },
    kernel: (arena) =>
      inArena(arena, [a, b], arrayOf(yType, batch * M * N), ([pa, pb], y) => {
        matmul(arena, { ...p, a: pa!, b: pb!, y });
      }),
    reference: () => {
      const y = arrayOf(yType, batch * M * N);
      matmulRef({ ...p, a, b, y });
      return y;
    },
  };
}

function floats(r: Random, n: number, scale: number, span: number): Float32Array {
  const x = new Float32Array(n), kind = r.int(0, 3);
  for (let i = 0; i < n; i++) {
    // Half of the kinds sit on the rounding boundaries.
    x[i] = kind === 0
      ? scale * (r.int(-span, span) + 0.5)
      : kind === 1
      ? scale * r.int(-2 * span, 2 * span) / 4
      : scale * span * (r.next() / 2 ** 31 - 1) * 1.2;
    if (r.chance(0.01)) x[i] = r.pick([NaN, Infinity, -Infinity, -0, 3e38, -3e38, 1e-44]);
  }
  return x;
}

function quantizeCase(r: Random, kind: "quantize" | "fakeQuantize"): Case {
  const type = r.pick(["int8", "int8", "int16", "int32"] as const);
  const channels = r.chance(0.4) ? r.int(2, 21) : 1, n = channels * r.int(0, 30);
  const scales = new Float32Array(channels);
  for (let c = 0; c < channels; c++) scales[c] = 10 ** (r.next() / 2 ** 32 * 8 - 6);
  const lim = kind === "quantize" ? r.limits(type) : r.limits(type === "int8" ? "int8" : "int16");
  const x = floats(r, n, scales[0]!, type === "int8" ? 127 : 32767);
  const rounding = r.chance(0.3) ? "even" as const : "away" as const;
  const scale = channels === 1 ? scales[0]! : scales;
  const g = { scale, zero: lim.yZero, qmin: lim.qmin, qmax: lim.qmax, rounding };
  const params = { n, yType: type, zero: g.zero, qmin: g.qmin, qmax: g.qmax, rounding };
  const inputs = { x, scale: scales };
  if (kind === "quantize") {
    return {
      params,
      inputs,
      kernel: (arena) =>
        inArena(arena, [x], arrayOf(type, n), ([px], y) => {
          quantize(arena, { ...g, x: px!, y, n, yType: type });
        }),
      reference: () => {
        const y = arrayOf(type, n);
        quantizeRef(x, y, g);
        return y;
      },
    };
  }
  return {
    params,
    inputs,
    kernel: (arena) =>
      inArena(arena, [x], new Float32Array(n), ([px], y) => {
        fakeQuantize(arena, { ...g, x: px!, y, n });
      }),
    reference: () => {
      const y = new Float32Array(n);
      fakeQuantizeRef(x, y, g);
      return y;
    },
  };
}

function dequantizeCase(r: Random): Case {
  const xType = r.pick(wide),
    channels = r.chance(0.4) ? r.int(2, 21) : 1,
    n = channels * r.int(0, 30);
  const x = values(r, xType, n), zero = zeroOf(r, xType);
  const scales = new Float32Array(channels);
  for (let c = 0; c < channels; c++) scales[c] = 10 ** (r.next() / 2 ** 32 * 8 - 6);
  const scale = channels === 1 ? scales[0]! : scales;
  return {
    params: { n, xType, zero },
    inputs: { x, scale: scales },
    kernel: (arena) =>
      inArena(arena, [x], new Float32Array(n), ([px], y) => {
        dequantize(arena, { x: px!, y, n, xType, scale, zero });
      }),
    reference: () => {
      const y = new Float32Array(n);
      dequantizeRef(x, y, scale, zero);
      return y;
    },
  };
}

function copyCase(r: Random): Case {
  const rank = r.int(1, 5), dims = Array.from({ length: rank }, () => r.int(1, 7));
  if (r.chance(0.5)) dims[r.int(0, rank - 1)] = r.int(8, 40);
  if (r.chance(0.5) && rank < 4) dims[r.int(0, rank - 1)] = r.int(8, 70);
  const elementBytes = r.pick([1, 1, 2, 4] as const);
  const make = (n: number) =>
    elementBytes === 1
      ? new Uint8Array(n)
      : elementBytes === 2
      ? new Uint16Array(n)
      : new Int32Array(n);
  // A dense source walked in another order, some dims backwards or repeated; a dense target.
  const order = dims.map((_, i) => i);
  for (let i = rank - 1; i > 0; i--) {
    const j = r.int(0, i);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  const srcStrides = new Array<number>(rank).fill(0);
  let count = 1, src0 = 0;
  for (const i of order) {
    const kind = r.int(0, 9);
    if (kind === 0) continue;
    srcStrides[i] = kind === 1 ? -count : count;
    if (kind === 1) src0 += (dims[i]! - 1) * count;
    count *= dims[i]!;
  }
  const g: Pick<CopyArgs, "dims" | "srcStrides" | "dstStrides"> = {
    dims,
    srcStrides,
    dstStrides: stridesOf(dims),
  };
  const src = r.ints(
    make(count),
    elementBytes === 4 ? -(2 ** 31) : 0,
    2 ** (8 * elementBytes - 1) - 1,
  );
  const n = dims.reduce((p, d) => p * d, 1);
  return {
    params: { ...g, elementBytes, srcOffset: src0 },
    inputs: { src },
    kernel: (arena) =>
      inArena(arena, [src], make(n), ([at], y) => {
        copyStrided(arena, { ...g, elementBytes, src: at! + src0 * elementBytes, dst: y });
      }),
    reference: () => {
      const y = make(n);
      copyStridedRef(src as Uint8Array, src0, y as Uint8Array, 0, g);
      return y;
    },
  };
}

export const simpleRows: readonly KernelRow[] = [
  { name: "matmul", section: 4, weight: 2, make: matmulCase },
  { name: "add", section: 5, weight: 2, make: (r) => binaryCase(r, "add2") },
  { name: "mul", section: 5, weight: 2, make: (r) => binaryCase(r, "mul2") },
  { name: "max", section: 5, weight: 1, make: (r) => binaryCase(r, "max2") },
  { name: "min", section: 5, weight: 1, make: (r) => binaryCase(r, "min2") },
  { name: "requant", section: 3, weight: 2, make: requantCase },
  { name: "prelu", section: 5, weight: 1, make: preluCase },
  { name: "lut8", section: 6, weight: 1, make: (r) => lutCase(r, "lut8") },
  { name: "lut8to16", section: 6, weight: 1, make: (r) => lutCase(r, "lut8to16") },
  { name: "lut16", section: 6, weight: 1, make: (r) => lutCase(r, "lut16") },
  { name: "quantize", section: 2, weight: 2, make: (r) => quantizeCase(r, "quantize") },
  { name: "fakeQuantize", section: 2, weight: 1, make: (r) => quantizeCase(r, "fakeQuantize") },
  { name: "dequantize", section: 2, weight: 1, make: dequantizeCase },
  { name: "copy", section: 8, weight: 2, make: copyCase },
];
