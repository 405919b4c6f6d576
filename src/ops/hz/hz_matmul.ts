import { fn } from "../../ir/function.ts";
import { byteSize, elementCount, stridesOf } from "../../ir/tensor.ts";
import { matmul } from "../../kernels/matmul.ts";
import { broadcastStrides } from "../broadcast.ts";
import { productShape } from "../matmul.ts";
import type { OpDef, QRange, StepContext, View } from "../op.ts";
import { body, factor, requant64, settleAttrs } from "./fragments.ts";
import { forms, zeroAt } from "./forms.ts";
import type { Form } from "./forms.ts";
import { integersAt, rowMajorOf, writeDensely } from "./memory.ts";
import { rangeOf, toType } from "./types.ts";
import { requantWide } from "./wide.ts";

/** One int8 factor of an operand: x = weight * (part - zero) summed over its parts. */
interface Part {
  readonly ptr: number;
  readonly weight: number;
  readonly zero: number;
}

/** int16 as 256 * hi + (lo + 128), both int8, in scratch. */
function split(c: StepContext, ptr: number, count: number): Part[] {
  const hi = c.arena.alloc(count), lo = c.arena.alloc(count);
  const x = c.arena.i16(ptr, count), h = c.arena.i8(hi, count), l = c.arena.i8(lo, count);
  for (let i = 0; i < count; i++) {
    h[i] = x[i]! >> 8;
    l[i] = (x[i]! & 255) - 128;
  }
  return [{ ptr: hi, weight: 256, zero: 0 }, { ptr: lo, weight: 1, zero: -128 }];
}

interface Sizes {
  readonly M: number;
  readonly K: number;
  readonly N: number;
  readonly m: number;
  readonly s: number;
  readonly range: QRange;
  readonly yZero: number;
}

/** One int8 product of matrices at a and b into y. */
function product8(c: StepContext, a: Part, b: Part, y: number, g: Sizes): void {
  matmul(c.arena, {
    a: a.ptr,
    b: b.ptr,
    y,
    batch: 1,
    M: g.M,
    K: g.K,
    N: g.N,
    aZero: a.zero,
    bZero: b.zero,
    yType: toType(c.node) as "int8" | "int16",
    yZero: g.yZero,
    m: g.m,
    s: g.s,
    ...g.range,
  }, c.executor);
}

/** The same with int16 operands: a sum of int8 products, requantized from binary64. */
function product16(
  c: StepContext,
  a: readonly Part[],
  b: readonly Part[],
  y: number,
  g: Sizes,
): void {
  const count = g.M * g.N;
  const mark = c.arena.mark();
  const at = c.arena.alloc(count * 4);
  const acc = new Float64Array(count);
  for (const p of a) {
    for (const q of b) {
      matmul(c.arena, {
        a: p.ptr,
        b: q.ptr,
        y: at,
        batch: 1,
        M: g.M,
        K: g.K,
        N: g.N,
        aZero: p.zero,
        bZero: q.zero,
        yType: "int32",
        yZero: 0,
        m: 0,
        s: 0,
        qmin: -(2 ** 31),
        qmax: 2 ** 31 - 1,
      }, c.executor);
      const part = c.arena.i32(at, count), weight = p.weight * q.weight;
      for (let i = 0; i < count; i++) acc[i]! += weight * part[i]!;
    }
  }
  const out = integersAt(c, y, count, toType(c.node));
  for (let i = 0; i < count; i++) {
    const v = requantWide(acc[i]!, g.m, g.s) + g.yZero;
    out[i] = Math.min(Math.max(v, g.range.qmin), g.range.qmax);
  }
  c.arena.release(mark);
}

function run(c: StepContext): void {
  const a = c.need(0), b = c.need(1), y = c.output(0);
  const [M, K] = a.shape.slice(-2) as [number, number], N = b.shape[b.shape.length - 1]!;
  const g: Sizes = {
    M,
    K,
    N,
    m: Number(c.constant(2)!.data[0]),
    s: Number(c.constant(3)!.data[0]),
    range: rangeOf(c.node),
    yZero: zeroAt(c.node, "y_zero"),
  };
  const batch = y.shape.slice(0, -2);
  const mark = c.arena.mark();
  const parts = (v: View, zero: number): Part[] => {
    const ptr = rowMajorOf(c, v);
    return v.dtype === "int16" ? split(c, ptr, v.count) : [{ ptr, weight: 1, zero }];
  };
  const pa = parts(a, zeroAt(c.node, "a_zero")), pb = parts(b, zeroAt(c.node, "b_zero"));
  const narrow = a.dtype === "int8" && b.dtype === "int8";
  const lead = (v: View) => v.shape.slice(0, -2);
  const [stepA, stepB] = [broadcastStrides(lead(a), batch), broadcastStrides(lead(b), batch)];
  const places = stridesOf(batch);
  const bytes = byteSize(y.dtype);
  writeDensely(c, y.shape, y, y.dtype, (to) => {
    for (let i = 0; i < elementCount(batch); i++) {
      let ia = 0, ib = 0;
      batch.forEach((d, k) => {
        const index = Math.floor(i / places[k]!) % d;
        ia += index * stepA[k]!;
        ib += index * stepB[k]!;
      });
      const at = to + i * M * N * bytes;
      const move = (list: readonly Part[], by: number) =>
        list.map((p) => ({ ...p, ptr: p.ptr + by }));
      const [qa, qb] = [move(pa, ia * M * K), move(pb, ib * K * N)];
      if (narrow) product8(c, qa[0]!, qb[0]!, at, g);
      else product16(c, qa, qb, at, g);
    }
  });
  c.arena.release(mark);
}

function matmulOp(name: string, text: (z: Form) => string): OpDef[] {
  return forms(name, (op, z) => ({
    op,
    table: "HzSQuantizedMatmul",
    domain: "horizon",
    infer: (c) => [{
      dtype: toType(c.node),
      shape: productShape(c.node, c.need(0).shape, c.need(1).shape),
    }],
    body: fn(
      op,
      ["a", "b", "m", "s"],
      ["y"],
      [...settleAttrs, ...z.zeros("a_zero", "b_zero", "y_zero")],
      body(text(z), z.settle("v")),
    ),
    run,
    macs(c) {
      const a = c.need(0).shape;
      return elementCount(c.output(0).shape) * a[a.length - 1]!;
    },
  }));
}

const scaled = `${factor("k", "m", "s")}; v=Mul(d, k)`;
const operands = (z: Form, to: string) =>
  `${z.minus("a", "af", "a_zero", to)}; ${z.minus("b", "bf", "b_zero", to)}`;
const wideProduct = (z: Form) => `${operands(z, "f64")}; d=MatMul(af, bf)`;

/**
 * Product of two feature maps (section 4): inputs a, b, m, s; leading dimensions broadcast. The plain
 * name sums in float32 (exact below 2^24), `Deep` in double, `I16` has an int16 operand.
 */
export const hzMatmul: readonly OpDef[] = [
  ...matmulOp(
    "HzSQuantizedMatmul",
    (z) => `${operands(z, "f32")}; p=MatMul(af, bf); d=Cast(p){to=f64}; ${scaled}`,
  ),
  ...matmulOp("HzSQuantizedMatmulDeep", (z) => `${wideProduct(z)}; ${scaled}`),
  ...matmulOp(
    "HzSQuantizedMatmulI16",
    (z) => `${wideProduct(z)}; acc=Cast(d){to=i64}; ${requant64("acc", "m", "s")}`,
  ),
];
