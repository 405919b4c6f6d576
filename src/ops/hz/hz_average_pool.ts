import { fn } from "../../ir/function.ts";
import { intsAttr } from "../../ir/graph.ts";
import { avgPool } from "../../kernels/pool.ts";
import type { OpDef } from "../op.ts";
import { body, factor, settleAttrs, split16 } from "./fragments.ts";
import { forms, zeroAt } from "./forms.ts";
import type { Form } from "./forms.ts";
import { rangeOf, toType } from "./types.ts";
import { poolShape, windowOf, windowOut } from "./window.ts";

const attrs = ["kernel_shape:ints", "pads:ints", "strides:ints", ...settleAttrs];

function averagePoolOp(name: string, sum: (z: Form) => string): OpDef[] {
  return forms(name, (op, z) => ({
    op,
    table: "HzQuantizedAveragePool",
    domain: "horizon",
    infer(c) {
      const x = c.need(0);
      const g = windowOf(c.node, intsAttr(c.node, "kernel_shape"));
      return [{
        dtype: toType(c.node),
        shape: [
          x.shape[0]!,
          x.shape[1]!,
          windowOut(x.shape[2]!, g.kernelH, g.strideH, g.padTop, g.padBottom, 1),
          windowOut(x.shape[3]!, g.kernelW, g.strideW, g.padLeft, g.padRight, 1),
        ],
      }];
    },
    // AveragePool divides in float32; sums are convolutions with ones over [N*C,1,H,W] instead.
    body: fn(
      op,
      ["x", "m", "s"],
      ["y"],
      [...attrs, ...z.zeros("x_zero", "y_zero")],
      body(
        "wsh=Concat(i64:[1,1], @kernel_shape){axis=0}; w=Expand(i8:1, wsh); xs=Shape(x); " +
          "nc=Slice(xs, i64:[0], i64:[2]); hw=Slice(xs, i64:[2], i64:[4]); " +
          "rs=Concat(i64:[-1,1], hw){axis=0}",
        sum(z),
        "os=Concat(i64:[1,1], hw){axis=0}; " +
          "on=Expand(i8:1, os); cnt=ConvInteger(on, w){pads=@pads strides=@strides}; " +
          "as=Shape(a0); ohw=Slice(as, i64:[2], i64:[4]); ys=Concat(nc, ohw){axis=0}; " +
          "acc=Reshape(a0, ys); mg=Gather(m, cnt); sg=Gather(s, cnt)",
        factor("k", "mg", "sg"),
        "d=Cast(acc){to=f64}; v=Mul(d, k)",
        z.settle("v"),
      ),
    ),
    run(c) {
      const x = c.need(0), y = c.output(0);
      avgPool(c.arena, {
        x: x.ptr,
        y: y.ptr,
        xType: x.dtype as "int8" | "int16",
        yType: y.dtype as "int8" | "int16",
        shape: poolShape(c),
        multipliers: c.need(1).ptr,
        shifts: c.need(2).ptr,
        countIncludePad: false,
        xZero: zeroAt(c.node, "x_zero"),
        yZero: zeroAt(c.node, "y_zero"),
        ...rangeOf(c.node),
      });
    },
  }));
}

/**
 * Average of the taps inside the picture (section 7): inputs x, m[n], s[n], tables by the number n of
 * taps inside (kernel size + 1 entries). With count_include_pad all entries are equal.
 */
export const hzAveragePool = averagePoolOp(
  "HzQuantizedAveragePool",
  (z) =>
    z.asym
      ? "xr=Reshape(x, rs); xz=Cast(@x_zero){to=i8}; " +
        "a0=ConvInteger(xr, w, xz){pads=@pads strides=@strides}"
      : "xr=Reshape(x, rs); a0=ConvInteger(xr, w){pads=@pads strides=@strides}",
);
export const hzAveragePool16 = averagePoolOp(
  "HzQuantizedAveragePoolI16",
  () =>
    body(
      split16("x", "sp"),
      "xh=Reshape(sp_hi, rs); xl=Reshape(sp_lo, rs); " +
        "ah=ConvInteger(xh, w){pads=@pads strides=@strides}; " +
        "al=ConvInteger(xl, w, i8:-128){pads=@pads strides=@strides}; ah2=Mul(ah, i32:256); " +
        "a0=Add(ah2, al)",
    ),
);
