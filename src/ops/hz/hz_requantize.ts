import { fn } from "../../ir/function.ts";
import { requant } from "../../kernels/requant.ts";
import type { OpDef } from "../op.ts";
import { body, factor, settle, settleAttrs } from "./fragments.ts";
import { quantType, rangeOf, toType } from "./types.ts";

/** Another scale for the same values (section 5): inputs x, m, s. */
export const hzRequantize: OpDef = {
  op: "HzRequantize",
  domain: "horizon",
  infer: (c) => [{ dtype: toType(c.node), shape: c.need(0).shape }],
  body: fn(
    "HzRequantize",
    ["x", "m", "s"],
    ["y"],
    settleAttrs,
    body(factor("k", "m", "s"), "d=Cast(x){to=f64}; v=Mul(d, k)", settle("v")),
  ),
  run(c) {
    const x = c.need(0);
    requant(c.arena, {
      x: x.ptr,
      y: c.output(0).ptr,
      n: x.count,
      xType: quantType(c.node, x.dtype),
      yType: toType(c.node) as "int8" | "int16",
      m: Number(c.constant(1)!.data[0]),
      s: Number(c.constant(2)!.data[0]),
      xZero: 0,
      yZero: 0,
      ...rangeOf(c.node),
    });
  },
};
