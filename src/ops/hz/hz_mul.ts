import { fn } from "../../ir/function.ts";
import { mul2 } from "../../kernels/elementwise.ts";
import { broadcastShape } from "../broadcast.ts";
import type { OpDef } from "../op.ts";
import { broadcastOf } from "./elementwise.ts";
import { body, factor, settle, settleAttrs } from "./fragments.ts";
import { rangeOf, toType } from "./types.ts";

/** a * b * m with one shift (section 5): inputs a, b, m, s. */
export const hzMul: OpDef = {
  op: "HzSElementwiseMul",
  domain: "horizon",
  infer: (c) => [{
    dtype: toType(c.node),
    shape: broadcastShape(c.node, [c.need(0).shape, c.need(1).shape]),
  }],
  body: fn(
    "HzSElementwiseMul",
    ["a", "b", "m", "s"],
    ["y"],
    settleAttrs,
    body(
      factor("k", "m", "s"),
      "a1=Cast(a){to=f64}; b1=Cast(b){to=f64}; p=Mul(a1, b1); v=Mul(p, k)",
      settle("v"),
    ),
  ),
  run(c) {
    const a = c.need(0), b = c.need(1), y = c.output(0);
    mul2(c.arena, {
      a: a.ptr,
      b: b.ptr,
      y: y.ptr,
      aType: a.dtype as "int8" | "int16",
      bType: b.dtype as "int8" | "int16",
      yType: y.dtype as "int8" | "int16",
      m: Number(c.constant(2)!.data[0]),
      s: Number(c.constant(3)!.data[0]),
      aZero: 0,
      bZero: 0,
      yZero: 0,
      ...rangeOf(c.node),
      ...broadcastOf(c),
    });
  },
};
