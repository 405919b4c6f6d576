import { fn } from "../../ir/function.ts";
import { broadcastIndex, broadcastShape } from "../broadcast.ts";
import type { OpDef } from "../op.ts";
import { forms, zeroAt } from "./forms.ts";
import { integersAt, rowMajorOf, writeDensely } from "./memory.ts";

/** Comparison of a * m1 with b * m2, int8 0 or 1: inputs a, b, m1, m2. */
function compareOp(
  name: string,
  standard: string,
  holds: (a: number, b: number) => boolean,
): OpDef[] {
  return forms(name, (op, z) => ({
    op,
    domain: "horizon",
    packs: [2, 3],
    infer: (c) => [{
      dtype: "int8",
      shape: broadcastShape(c.node, [c.need(0).shape, c.need(1).shape]),
    }],
    body: fn(
      op,
      ["a", "b", "m1", "m2"],
      ["y"],
      z.zeros("a_zero", "b_zero"),
      `${z.minus("a", "a1", "a_zero", "i64")}; ${z.minus("b", "b1", "b_zero", "i64")}; ` +
        "ma=Cast(m1){to=i64}; mb=Cast(m2){to=i64}; " +
        `p=Mul(a1, ma); q=Mul(b1, mb); t=${standard}(p, q); y=Cast(t){to=i8}`,
    ),
    run(c) {
      const a = c.need(0), b = c.need(1), y = c.output(0);
      const [m1, m2] = [Number(c.constant(2)!.data[0]), Number(c.constant(3)!.data[0])];
      const [za, zb] = [zeroAt(c.node, "a_zero"), zeroAt(c.node, "b_zero")];
      const mark = c.arena.mark();
      const av = integersAt(c, rowMajorOf(c, a), a.count, a.dtype);
      const bv = integersAt(c, rowMajorOf(c, b), b.count, b.dtype);
      const [ia, ib] = [broadcastIndex(a.shape, y.shape), broadcastIndex(b.shape, y.shape)];
      writeDensely(c, y.shape, y, "int8", (ptr) => {
        const out = c.arena.i8(ptr, y.count);
        for (let i = 0; i < out.length; i++) {
          const p = (av[ia?.[i] ?? i]! - za) * m1, q = (bv[ib?.[i] ?? i]! - zb) * m2;
          out[i] = holds(p, q) ? 1 : 0;
        }
      });
      c.arena.release(mark);
    },
  }));
}

export const hzCompare: readonly OpDef[] = [
  ...compareOp("HzEqual", "Equal", (a, b) => a === b),
  ...compareOp("HzGreater", "Greater", (a, b) => a > b),
  ...compareOp("HzGreaterOrEqual", "GreaterOrEqual", (a, b) => a >= b),
  ...compareOp("HzLess", "Less", (a, b) => a < b),
  ...compareOp("HzLessOrEqual", "LessOrEqual", (a, b) => a <= b),
];
