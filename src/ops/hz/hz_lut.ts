import { fn } from "../../ir/function.ts";
import { lut8 } from "../../kernels/lut.ts";
import type { OpDef } from "../op.ts";

/** int8 function by table (section 6): y = table[x & 255]. */
export const hzLut: OpDef = {
  op: "HzLut",
  domain: "horizon",
  infer: (c) => [{ dtype: c.need(1).dtype, shape: c.need(0).shape }],
  // Gather takes negative indices, so a table in two's-complement order needs no offset.
  body: fn("HzLut", ["x", "table"], ["y"], [], "i=Cast(x){to=i32}; y=Gather(table, i)"),
  run(c) {
    const x = c.need(0);
    lut8(c.arena, { x: x.ptr, y: c.output(0).ptr, table: c.need(1).ptr, n: x.count });
  },
};
