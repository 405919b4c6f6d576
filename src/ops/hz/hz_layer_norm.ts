import { fn } from "../../ir/function.ts";
import { intAttr, intsAttr } from "../../ir/graph.ts";
import type { Tensor } from "../../ir/tensor.ts";
import { elementCount } from "../../ir/tensor.ts";
import { roundAway } from "../arithmetic.ts";
import type { OpDef } from "../op.ts";
import { body, settleAttrs } from "./fragments.ts";
import { forms, zeroAt } from "./forms.ts";
import { integersAt, rowMajorOf, writeDensely } from "./memory.ts";
import { rangeOf, toType } from "./types.ts";

/** Tensors that a core writes on the way: centred values, squares, normalised values, their products. */
export const LAYER_NORM_STEPS = 4;

/** Segments of 128 between 2^13 and 2^15, the normalised variance. */
const SEGMENTS = 192;

/** Inverse square roots of section 9c: 2^15 / sqrt(u / 2^13) at the ends of the segments of u; int32. */
export const inverseRoots: Tensor = {
  dtype: "int32",
  shape: [SEGMENTS + 1],
  data: Int32Array.from(
    { length: SEGMENTS + 1 },
    (_, i) => roundAway(2 ** 15 * Math.sqrt(64 / (64 + i))),
  ),
};

/** Largest variance that is represented is below 4^31. */
const powers = Array.from({ length: 31 }, (_, i) => 4 ** (i + 1)).join(",");

/** 1 / sqrt(v) as r * 2^-(15 + j), for an integer 1 <= v < 2^62 as binary64. */
function inverseRoot(v: number, roots: Int32Array): { r: number; j: number } {
  let j = Math.floor(Math.log2(v) / 2);
  // log2 next to a power of four may round to either side: settle on the exact exponent.
  while (4 ** j > v) j--;
  while (4 ** (j + 1) <= v) j++;
  const u = Math.floor(v * 4 ** -j * 8192), i = (u >> 7) - 64, f = u & 127;
  return { r: (roots[i]! * (128 - f) + roots[i + 1]! * f + 64) >> 7, j };
}

/** max(n sum(x^2) - sum(x)^2 + epsilon, 1), rounded once to binary64. */
function variance(n: number, sum: number, squares: number, epsilon: number): number {
  const v = n * squares < 2 ** 53
    ? n * squares - sum * sum + epsilon
    : Number(BigInt(n) * BigInt(squares) - BigInt(sum) ** 2n + BigInt(epsilon));
  return Math.max(v, 1);
}

/** Factors and biases times 2^-shift. */
interface Affine {
  readonly m: Float64Array;
  readonly b: Float64Array;
}

/** One row in place, without the zero point and the saturation of y. */
function normalise(
  row: Float64Array,
  roots: Int32Array,
  epsilon: number,
  m: Float64Array,
  b: Float64Array,
): void {
  const n = row.length;
  let sum = 0, squares = 0;
  for (let i = 0; i < n; i++) {
    const v = row[i]!;
    sum += v;
    squares += v * v;
  }
  const { r, j } = inverseRoot(variance(n, sum, squares, epsilon), roots);
  const p = r * 2 ** -j;
  for (let i = 0; i < n; i++) {
    const h = Math.floor((row[i]! * n - sum) * p + 0.5);
    row[i] = Math.floor(h * m[i]! + b[i]! + 0.5);
  }
}

/**
 * Layer normalisation (section 9c): inputs x, inverse roots (int32[193]), factors m (int16) and biases b
 * (int32) over the normalised dimensions, which are the last ones; attributes axes, count (their
 * elements), epsilon (in the unit of the variance) and shift. A zero point of x vanishes.
 */
export const hzLayerNorm: readonly OpDef[] = forms("HzSLayerNormalization", (op, z) => ({
  op,
  domain: "horizon",
  infer: (c) => [{ dtype: toType(c.node), shape: c.need(0).shape }],
  packs: [1, 2, 3],
  macs: (c) => 2 * elementCount(c.output(0).shape),
  steps: LAYER_NORM_STEPS,
  body: fn(
    op,
    ["x", "roots", "m", "b"],
    ["y"],
    ["axes:ints", "count:int", "epsilon:int", "shift:int", ...settleAttrs, ...z.zeros("y_zero")],
    body(
      "xi=Cast(x){to=i64}; S=ReduceSum(xi, @axes){keepdims=1}; xx=Mul(xi, xi); " +
        "Q=ReduceSum(xx, @axes){keepdims=1}; nQ=Mul(Q, @count); SS=Mul(S, S); " +
        "V0=Sub(nQ, SS); V1=Add(V0, @epsilon); V=Max(V1, i64:1); vf=Cast(V){to=f64}",
      `vu=Unsqueeze(vf, i64:[-1]); ge=GreaterOrEqual(vu, f64:[${powers}]); gi=Cast(ge){to=i32}; ` +
        "j=ReduceSum(gi, i64:[-1]){keepdims=0}; jf=Cast(j){to=f64}; nj=Neg(jf); " +
        "p=Pow(f64:2, nj); pp=Mul(p, p); u0=Mul(vf, pp); u1=Mul(u0, f64:8192); u2=Floor(u1)",
      "u=Cast(u2){to=i32}; f=Mod(u, i32:128); g=Sub(i32:128, f); d=Div(u, i32:128); " +
        "i0=Sub(d, i32:64); i1=Add(i0, i32:1); r0=Gather(roots, i0); r1=Gather(roots, i1); " +
        "q0=Mul(r0, g); q1=Mul(r1, f); q=Add(q0, q1); qb=Add(q, i32:64); r=Div(qb, i32:128)",
      "nx=Mul(xi, @count); c=Sub(nx, S); cf=Cast(c){to=f64}; rf=Cast(r){to=f64}; " +
        "cr=Mul(cf, rf); h0=Mul(cr, p); h1=Add(h0, f64:0.5); h=Floor(h1)",
      "mf=Cast(m){to=f64}; bf=Cast(b){to=f64}; hm=Mul(h, mf); acc=Add(hm, bf); " +
        "sf=Cast(@shift){to=f64}; ns=Neg(sf); k=Pow(f64:2, ns); v=Mul(acc, k)",
      z.settle("v"),
    ),
  ),
  prepare(c): Affine {
    const k = 2 ** -intAttr(c.node, "shift");
    const scaled = (i: number) =>
      Float64Array.from(c.constant(i)!.data as Int32Array, (v) => v * k);
    return { m: scaled(2), b: scaled(3) };
  },
  run(c, state) {
    const x = c.need(0), y = c.output(0);
    const roots = c.constant(1)!.data as Int32Array, { m, b } = state as Affine;
    const n = elementCount(intsAttr(c.node, "axes").map((a) => x.shape[a]!));
    const epsilon = intAttr(c.node, "epsilon");
    const yZero = zeroAt(c.node, "y_zero"), { qmin, qmax } = rangeOf(c.node);
    const mark = c.arena.mark();
    const values = integersAt(c, rowMajorOf(c, x), x.count, x.dtype);
    const row = new Float64Array(n);
    writeDensely(c, y.shape, y, y.dtype, (ptr) => {
      const out = integersAt(c, ptr, y.count, y.dtype);
      for (let at = 0; at < out.length; at += n) {
        row.set(values.subarray(at, at + n));
        normalise(row, roots, epsilon, m, b);
        for (let i = 0; i < n; i++) out[at + i] = Math.min(Math.max(row[i]! + yZero, qmin), qmax);
      }
    });
    c.arena.release(mark);
  },
}));
