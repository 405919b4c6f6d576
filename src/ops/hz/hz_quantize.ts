import { fn } from "../../ir/function.ts";
import { quantize } from "../../kernels/quantize.ts";
import type { OpDef } from "../op.ts";
import { body, settleAttrs } from "./fragments.ts";
import { rangeOf, toType } from "./types.ts";

/** float32 to integers (section 2), half away from zero: inputs x, scale, zero. */
export const hzQuantize: OpDef = {
  op: "HzQuantize",
  domain: "horizon",
  packs: [1, 2],
  orderless: () => true,
  infer: (c) => [{ dtype: toType(c.node), shape: c.need(0).shape }],
  // The half is added to |q|: with float32 operands a quotient is never within 2^-25 of a tie, so the
  // sum cannot round across it. NaN would pass Clip, so it is replaced first.
  body: fn(
    "HzQuantize",
    ["x", "scale", "zero"],
    ["y"],
    settleAttrs,
    body(
      "bad=IsNaN(x); xd0=Cast(x){to=f64}; xd=Where(bad, f64:0, xd0); sd=Cast(scale){to=f64}; " +
        "q=Div(xd, sd); a=Abs(q); ah=Add(a, f64:0.5); f=Floor(ah); sg=Sign(q); r=Mul(f, sg); " +
        "zd=Cast(zero){to=f64}; rz=Add(r, zd); l=Cast(@qmin){to=f64}; u=Cast(@qmax){to=f64}; " +
        "c=Clip(rz, l, u); y=Cast(c){to=@to}",
    ),
  ),
  run(c) {
    const x = c.need(0), y = c.output(0);
    quantize(c.arena, {
      x: x.ptr,
      y: y.ptr,
      n: x.count,
      yType: toType(c.node) as "int8" | "int16",
      scale: Number(c.constant(1)!.data[0]),
      zero: Number(c.constant(2)!.data[0]),
      ...rangeOf(c.node),
    });
  },
};
