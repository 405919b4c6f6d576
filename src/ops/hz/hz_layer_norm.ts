import { fn } from "../../ir/function.ts";
import { intAttr, intsAttr } from "../../ir/graph.ts";
import type { Tensor } from "../../ir/tensor.ts";
import { elementCount } from "../../ir/tensor.ts";
import { inverseRoots, layerNorm } from "../../kernels/layer_norm.ts";
import type { OpDef } from "../op.ts";
import { body, settleAttrs } from "./fragments.ts";
import { type Form, forms, zeroAt } from "./forms.ts";
import { rowMajorOf, writeDensely } from "./memory.ts";
import { rangeOf, toType } from "./types.ts";

/** Tensors that a core writes on the way: centred values, squares, normalised values, their products. */
export const LAYER_NORM_STEPS = 4;

/** The same without centred values. */
export const RMS_NORM_STEPS = 3;

/** The table R of section 9c, int32. */
export const inverseRootTable: Tensor = {
  dtype: "int32",
  shape: [inverseRoots.length],
  data: inverseRoots,
};

/** The largest V is below 4^32. */
const powers = Array.from({ length: 31 }, (_, i) => 4 ** (i + 1)).join(",");

/** What differs in the two normalisations. */
interface Kind {
  readonly mean: boolean;
  readonly steps: number;
  /** Zero points that stay. */
  readonly zeros: readonly string[];
  /** `xi`: x in int64. */
  xi(z: Form): string;
  /** `V1`: n^2 times the variance or the mean square, from nQ. */
  readonly moments: string;
  /** `c`: n times what is divided by the root. */
  readonly centred: string;
}

const aroundMean: Kind = {
  mean: true,
  steps: LAYER_NORM_STEPS,
  zeros: ["y_zero"],
  xi: () => "xi=Cast(x){to=i64}",
  moments: "S=ReduceSum(xi, @axes){keepdims=1}; SS=Mul(S, S); V0=Sub(nQ, SS); V1=Add(V0, @epsilon)",
  centred: "nx=Mul(xi, @count); c=Sub(nx, S)",
};

const aroundZero: Kind = {
  mean: false,
  steps: RMS_NORM_STEPS,
  zeros: ["x_zero", "y_zero"],
  xi: (z) => z.minus("x", "xi", "x_zero", "i64"),
  moments: "V1=Add(nQ, @epsilon)",
  centred: "c=Mul(xi, @count)",
};

const normalisation = (name: string, kind: Kind): readonly OpDef[] =>
  forms(name, (op, z) => ({
    op,
    domain: "horizon",
    infer: (c) => [{ dtype: toType(c.node), shape: c.need(0).shape }],
    macs: (c) => 2 * elementCount(c.output(0).shape),
    steps: kind.steps,
    body: fn(
      op,
      ["x", "roots", "m", "b"],
      ["y"],
      [
        ...["axes:ints", "count:int", "epsilon:int", "shift:int"],
        ...settleAttrs,
        ...z.zeros(...kind.zeros),
      ],
      body(
        kind.xi(z),
        "xx=Mul(xi, xi); Q=ReduceSum(xx, @axes){keepdims=1}; nQ=Mul(Q, @count)",
        kind.moments,
        "V=Max(V1, i64:1); vf=Cast(V){to=f64}",
        `vu=Unsqueeze(vf, i64:[-1]); ge=GreaterOrEqual(vu, f64:[${powers}]); gi=Cast(ge){to=i32}; ` +
          "j=ReduceSum(gi, i64:[-1]){keepdims=0}; jf=Cast(j){to=f64}; nj=Neg(jf); " +
          "p=Pow(f64:2, nj); pp=Mul(p, p); u0=Mul(vf, pp); u1=Mul(u0, f64:8192); u2=Floor(u1)",
        "u=Cast(u2){to=i32}; f=Mod(u, i32:128); g=Sub(i32:128, f); d=Div(u, i32:128); " +
          "i0=Sub(d, i32:64); i1=Add(i0, i32:1); r0=Gather(roots, i0); r1=Gather(roots, i1); " +
          "q0=Mul(r0, g); q1=Mul(r1, f); q=Add(q0, q1); qb=Add(q, i32:64); r=Div(qb, i32:128)",
        kind.centred,
        "cf=Cast(c){to=f64}; rf=Cast(r){to=f64}; " +
          "cr=Mul(cf, rf); h0=Mul(cr, p); h1=Add(h0, f64:0.5); h=Floor(h1)",
        "mf=Cast(m){to=f64}; bf=Cast(b){to=f64}; hm=Mul(h, mf); acc=Add(hm, bf); " +
          "sf=Cast(@shift){to=f64}; ns=Neg(sf); k=Pow(f64:2, ns); v=Mul(acc, k)",
        z.settle("v"),
      ),
    ),
    run(c) {
      const x = c.need(0), y = c.output(0);
      const n = elementCount(intsAttr(c.node, "axes").map((a) => x.shape[a]!));
      const mark = c.arena.mark();
      const from = rowMajorOf(c, x);
      writeDensely(c, y.shape, y, y.dtype, (to) =>
        layerNorm(c.arena, {
          rows: x.count / n,
          n,
          x: from,
          y: to,
          xType: x.dtype as "int8" | "int16",
          yType: y.dtype as "int8" | "int16" | "int32",
          xZero: zeroAt(c.node, "x_zero"),
          mean: kind.mean,
          roots: c.need(1).ptr,
          m: c.need(2).ptr,
          b: c.need(3).ptr,
          epsilon: intAttr(c.node, "epsilon"),
          s: intAttr(c.node, "shift"),
          yZero: zeroAt(c.node, "y_zero"),
          ...rangeOf(c.node),
        }));
      c.arena.release(mark);
    },
  }));

/**
 * Layer normalisation (section 9c): inputs x, inverse roots (int32[193]), factors m (int16) and biases b
 * (int32) over the normalised dimensions, which are the last ones; attributes axes, count (their
 * elements), epsilon (in the unit of the variance) and shift. A zero point of x vanishes.
 */
export const hzLayerNorm: readonly OpDef[] = normalisation("HzSLayerNormalization", aroundMean);

/** The same without the mean: rows are divided by their root mean square. */
export const hzRmsNorm: readonly OpDef[] = normalisation("HzSRMSNormalization", aroundZero);
