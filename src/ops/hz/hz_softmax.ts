import { fn } from "../../ir/function.ts";
import { intAttr, intsAttr } from "../../ir/graph.ts";
import type { Tensor } from "../../ir/tensor.ts";
import { elementCount, stridesOf } from "../../ir/tensor.ts";
import { reciprocals, softmax } from "../../kernels/softmax.ts";
import type { OpDef, StepContext } from "../op.ts";
import { body, settle, settleAttrs } from "./fragments.ts";
import { copyBox, densely } from "./memory.ts";
import { rangeOf, toType } from "./types.ts";

/** The table R of section 9, int32. */
export const reciprocalTable: Tensor = {
  dtype: "int32",
  shape: [256],
  data: Int32Array.from(reciprocals),
};

const powers = Array.from({ length: 30 }, (_, i) => 2 ** (i + 1)).join(",");

interface Line {
  readonly dims: readonly number[];
  readonly outer: number;
  readonly reduce: number;
  readonly inner: number;
  readonly x: number;
}

/** Input 0 in dense memory order of its own strides, with the axis as the middle dimension. */
function lineOf(c: StepContext): Line & { readonly perm: readonly number[] } {
  const x = c.need(0), axis = intsAttr(c.node, "axes")[0]!;
  const perm = x.shape.map((_, i) => i).sort((i, j) => x.strides[j]! - x.strides[i]! || i - j);
  const dims = perm.map((i) => x.shape[i]!);
  const at = perm.indexOf(axis);
  return {
    perm,
    dims,
    outer: elementCount(dims.slice(0, at)),
    reduce: x.shape[axis]!,
    inner: elementCount(dims.slice(at + 1)),
    x: densely(c, dims, { ptr: x.ptr, strides: perm.map((i) => x.strides[i]!) }, x.dtype),
  };
}

/** Runs on dense memory; input and output have the same shape and so the same memory order. */
function along(c: StepContext, run: (line: Line, y: number) => void): void {
  const y = c.output(0);
  const mark = c.arena.mark();
  const line = lineOf(c);
  const strides = line.perm.map((i) => y.strides[i]!);
  const want = stridesOf(line.dims);
  const dense = line.dims.every((d, i) => d === 1 || strides[i] === want[i]);
  const to = dense ? y.ptr : c.arena.alloc(y.count * 2);
  run(line, to);
  if (!dense) {
    copyBox(c, line.dims, { ptr: to, strides: want }, { ptr: y.ptr, strides }, y.dtype);
  }
  c.arena.release(mark);
}

/**
 * Softmax of int8 (section 9): inputs x, exponentials E (int16[256]), reciprocals R (int32[256]);
 * attributes axes (one, non-negative) and h.
 */
export const hzSoftmax: OpDef = {
  op: "HzSoftmax",
  domain: "horizon",
  infer: (c) => [{ dtype: toType(c.node), shape: c.need(0).shape }],
  body: fn(
    "HzSoftmax",
    ["x", "e_table", "r_table"],
    ["y"],
    ["axes:ints", "h:int", ...settleAttrs],
    body(
      "xi=Cast(x){to=i32}; mi=ReduceMax(xi){axes=@axes keepdims=1}; " +
        "d=Sub(xi, mi); di=Add(d, i32:255); e0=Gather(e_table, di); e=Cast(e0){to=i64}; " +
        "S=ReduceSum(e, @axes){keepdims=1}; Su=Unsqueeze(S, i64:[-1]); " +
        `ge=GreaterOrEqual(Su, i64:[${powers}]); gi=Cast(ge){to=i32}; ` +
        "k=ReduceSum(gi, i64:[-1]){keepdims=0}; kf=Cast(k){to=f64}; pk=Pow(f64:2, kf); " +
        "pki=Cast(pk){to=i64}; S8=Mul(S, i64:256); q=Div(S8, pki); ix=Sub(q, i64:256); " +
        "r0=Gather(r_table, ix); rf=Cast(r0){to=f64}; ef=Cast(e){to=f64}; p=Mul(ef, rf); " +
        "hf=Cast(@h){to=f64}; t=Add(kf, hf); nt=Neg(t); sc=Pow(f64:2, nt); v=Mul(p, sc)",
      settle("v"),
    ),
  ),
  run(c) {
    along(c, ({ outer, reduce, inner, x }, y) =>
      softmax(c.arena, {
        outer,
        reduce,
        inner,
        x,
        y,
        yType: toType(c.node) as "int8" | "int16",
        exps: c.need(1).ptr,
        h: intAttr(c.node, "h"),
        ...rangeOf(c.node),
      }));
  },
};

/**
 * Softmax of int16 (section 9): inputs x, E1 and E2 (int32[256]): n = max - x = 256 h + l,
 * e = (E1[h] E2[l] + 2^14) >> 15, y = floor(e 2^15 / sum + 1/2) clamped, in the scale 2^-15.
 */
export const hzSoftmax16: OpDef = {
  op: "HzSoftmaxI16",
  table: "HzSoftmax",
  domain: "horizon",
  infer: (c) => [{ dtype: toType(c.node), shape: c.need(0).shape }],
  body: fn(
    "HzSoftmaxI16",
    ["x", "e1", "e2"],
    ["y"],
    ["axes:ints", ...settleAttrs],
    body(
      "xi=Cast(x){to=i32}; mi=ReduceMax(xi){axes=@axes keepdims=1}; " +
        "n=Sub(mi, xi); l=Mod(n, i32:256); h=Div(n, i32:256); a0=Gather(e1, h); b0=Gather(e2, l); " +
        "a=Cast(a0){to=i64}; b=Cast(b0){to=i64}; p=Mul(a, b); pr=Add(p, i64:16384); " +
        "e=Div(pr, i64:32768); S=ReduceSum(e, @axes){keepdims=1}; e2p=Mul(e, i64:65536); " +
        "nu=Add(e2p, S); de=Mul(S, i64:2); q=Div(nu, de); v=Cast(q){to=f64}",
      settle("v"),
    ),
  ),
  run(c) {
    const e1 = c.constant(1)!.data as Int32Array, e2 = c.constant(2)!.data as Int32Array;
    const { qmin, qmax } = rangeOf(c.node);
    along(c, ({ outer, reduce, inner, x: from, dims }, to) => {
      const count = elementCount(dims);
      const x = c.arena.i16(from, count);
      const y = toType(c.node) === "int8" ? c.arena.i8(to, count) : c.arena.i16(to, count);
      const e = new Float64Array(reduce);
      for (let o = 0; o < outer; o++) {
        for (let i = 0; i < inner; i++) {
          const base = o * reduce * inner + i;
          let top = -32768, sum = 0;
          for (let k = 0; k < reduce; k++) top = Math.max(top, x[base + k * inner]!);
          for (let k = 0; k < reduce; k++) {
            const n = top - x[base + k * inner]!;
            e[k] = Math.floor((e1[n >> 8]! * e2[n & 255]! + 16384) / 32768);
            sum += e[k]!;
          }
          for (let k = 0; k < reduce; k++) {
            const v = Math.floor((e[k]! * 65536 + sum) / (2 * sum));
            y[base + k * inner] = Math.min(Math.max(v, qmin), qmax);
          }
        }
      }
    });
  },
  packs: [1, 2],
};
