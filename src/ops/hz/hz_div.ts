import { fn } from "../../ir/function.ts";
import { broadcastIndex, broadcastShape } from "../broadcast.ts";
import type { OpDef } from "../op.ts";
import { body, factor, settleAttrs } from "./fragments.ts";
import { forms, zeroAt } from "./forms.ts";
import { integersAt, rowMajorOf, writeDensely } from "./memory.ts";
import { rangeOf, toType } from "./types.ts";

/** Stands for infinity where something is divided by zero. */
const HUGE = 2 ** 100;

/**
 * Quotient with an int16 divisor: inputs a, b, m, s; y = floor(a m 2^-s / b + 1/2) with one division in
 * binary64 (rounded to nearest, so the same everywhere); x / 0 saturates, 0 / 0 is 0.
 */
export const hzDiv: readonly OpDef[] = forms("HzSElementwiseDiv", (op, z) => ({
  op,
  domain: "horizon",
  packs: [2, 3],
  infer: (c) => [{
    dtype: toType(c.node),
    shape: broadcastShape(c.node, [c.need(0).shape, c.need(1).shape]),
  }],
  body: fn(
    op,
    ["a", "b", "m", "s"],
    ["y"],
    [...settleAttrs, ...z.zeros("a_zero", "y_zero")],
    body(
      factor("k", "m", "s"),
      z.minus("a", "ad", "a_zero", "f64"),
      "bd=Cast(b){to=f64}; p=Mul(ad, k); z=Equal(bd, f64:0); " +
        `bs=Where(z, f64:1, bd); q=Div(p, bs); big=Mul(ad, f64:${HUGE}); v=Where(z, big, q)`,
      z.settle("v"),
    ),
  ),
  run(c) {
    const a = c.need(0), b = c.need(1), y = c.output(0);
    const k = Number(c.constant(2)!.data[0]) * 2 ** -Number(c.constant(3)!.data[0]);
    const { qmin, qmax } = rangeOf(c.node);
    const [az, yz] = [zeroAt(c.node, "a_zero"), zeroAt(c.node, "y_zero")];
    const mark = c.arena.mark();
    const av = integersAt(c, rowMajorOf(c, a), a.count, a.dtype);
    const bv = integersAt(c, rowMajorOf(c, b), b.count, b.dtype);
    const [ia, ib] = [broadcastIndex(a.shape, y.shape), broadcastIndex(b.shape, y.shape)];
    writeDensely(c, y.shape, y, y.dtype, (ptr) => {
      const out = integersAt(c, ptr, y.count, y.dtype);
      for (let i = 0; i < out.length; i++) {
        const n = av[ia?.[i] ?? i]! - az, d = bv[ib?.[i] ?? i]!;
        const v = Math.floor((d === 0 ? n * HUGE : n * k / d) + 0.5);
        out[i] = Math.min(Math.max(v + yz, qmin), qmax);
      }
    });
    c.arena.release(mark);
  },
}));
