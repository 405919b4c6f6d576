import { fn } from "../../ir/function.ts";
import { mul2 } from "../../kernels/elementwise.ts";
import { broadcastShape } from "../broadcast.ts";
import type { OpDef } from "../op.ts";
import { broadcastOf } from "./elementwise.ts";
import { body, factor, settleAttrs } from "./fragments.ts";
import { forms, zeroAt } from "./forms.ts";
import { rangeOf, toType } from "./types.ts";

/** a * b * m with one shift (section 5): inputs a, b, m, s. */
export const hzMul: readonly OpDef[] = forms("HzSElementwiseMul", (op, z) => ({
  op,
  domain: "horizon",
  infer: (c) => [{
    dtype: toType(c.node),
    shape: broadcastShape(c.node, [c.need(0).shape, c.need(1).shape]),
  }],
  body: fn(
    op,
    ["a", "b", "m", "s"],
    ["y"],
    [...settleAttrs, ...z.zeros("a_zero", "b_zero", "y_zero")],
    body(
      factor("k", "m", "s"),
      z.minus("a", "a1", "a_zero", "f64"),
      z.minus("b", "b1", "b_zero", "f64"),
      "p=Mul(a1, b1); v=Mul(p, k)",
      z.settle("v"),
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
      aZero: zeroAt(c.node, "a_zero"),
      bZero: zeroAt(c.node, "b_zero"),
      yZero: zeroAt(c.node, "y_zero"),
      ...rangeOf(c.node),
      ...broadcastOf(c),
    });
  },
}));
