import { fn } from "../../ir/function.ts";
import { requant } from "../../kernels/requant.ts";
import type { OpDef } from "../op.ts";
import { body, factor, settleAttrs } from "./fragments.ts";
import { forms, zeroAt } from "./forms.ts";
import { quantType, rangeOf, toType } from "./types.ts";

/** Another scale for the same values (section 5): inputs x, m, s. */
export const hzRequantize: readonly OpDef[] = forms("HzRequantize", (op, z) => ({
  op,
  domain: "horizon",
  infer: (c) => [{ dtype: toType(c.node), shape: c.need(0).shape }],
  body: fn(
    op,
    ["x", "m", "s"],
    ["y"],
    [...settleAttrs, ...z.zeros("x_zero", "y_zero")],
    body(
      factor("k", "m", "s"),
      z.minus("x", "d", "x_zero", "f64"),
      "v=Mul(d, k)",
      z.settle("v"),
    ),
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
      xZero: zeroAt(c.node, "x_zero"),
      yZero: zeroAt(c.node, "y_zero"),
      ...rangeOf(c.node),
    });
  },
}));
