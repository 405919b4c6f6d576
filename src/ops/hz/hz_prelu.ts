import { fn } from "../../ir/function.ts";
import { prelu } from "../../kernels/prelu.ts";
import type { OpDef } from "../op.ts";
import { body, factor, settleAttrs } from "./fragments.ts";
import { forms, zeroAt } from "./forms.ts";
import { rangeOf, toType } from "./types.ts";

/** PRelu with a slope per channel (section 5): inputs x, mp, sp, mn[C], sn[C]. */
export const hzPRelu: readonly OpDef[] = forms("HzPRelu", (op, z) => ({
  op,
  domain: "horizon",
  infer: (c) => [{ dtype: toType(c.node), shape: c.need(0).shape }],
  body: fn(
    op,
    ["x", "mp", "sp", "mn", "sn"],
    ["y"],
    [...settleAttrs, ...z.zeros("x_zero", "y_zero")],
    body(
      z.minus("x", "d", "x_zero", "f64"),
      factor("kp", "mp", "sp"),
      factor("kn0", "mn", "sn"),
      "kn=Unsqueeze(kn0, i64:[1,2]); a=Mul(d, kp); b=Mul(d, kn); c=GreaterOrEqual(d, f64:0); " +
        "v=Where(c, a, b)",
      z.settle("v"),
    ),
  ),
  run(c) {
    const x = c.need(0), y = c.output(0);
    prelu(c.arena, {
      x: x.ptr,
      y: y.ptr,
      outer: x.count / x.shape[1]!,
      channels: x.shape[1]!,
      inner: 1,
      xType: x.dtype as "int8" | "int16",
      yType: y.dtype as "int8" | "int16",
      mPos: Number(c.constant(1)!.data[0]),
      sPos: Number(c.constant(2)!.data[0]),
      mNeg: c.need(3).ptr,
      sNeg: c.need(4).ptr,
      xZero: zeroAt(c.node, "x_zero"),
      yZero: zeroAt(c.node, "y_zero"),
      ...rangeOf(c.node),
    });
  },
}));
