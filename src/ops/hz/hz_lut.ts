import { fn } from "../../ir/function.ts";
import { lut16, lut8, lut8to16 } from "../../kernels/lut.ts";
import type { OpDef } from "../op.ts";
import { integersAt } from "./memory.ts";

/**
 * Function by a table of all its values (section 6): y = table[x & 255], or table[x & 65535] of int16 x;
 * the table is int8 or int16.
 */
export const hzLut: OpDef = {
  op: "HzLut",
  domain: "horizon",
  infer: (c) => [{ dtype: c.need(1).dtype, shape: c.need(0).shape }],
  // Gather takes negative indices, so a table in two's-complement order needs no offset.
  nonNegative: (constant) =>
    (constant(1)?.data as Int8Array | undefined)?.every((v) => v >= 0) === true,
  body: fn("HzLut", ["x", "table"], ["y"], [], "i=Cast(x){to=i32}; y=Gather(table, i)"),
  run(c) {
    const x = c.need(0);
    if (x.dtype === "int16") {
      const y = c.output(0), table = c.need(1);
      const from = c.arena.u16(x.ptr, x.count), to = integersAt(c, y.ptr, y.count, y.dtype);
      const values = integersAt(c, table.ptr, table.count, table.dtype);
      for (let i = 0; i < to.length; i++) to[i] = values[from[i]!]!;
      return;
    }
    const lut = c.output(0).dtype === "int16" ? lut8to16 : lut8;
    lut(c.arena, { x: x.ptr, y: c.output(0).ptr, table: c.need(1).ptr, n: x.count });
  },
};

/** int16 function by 513 points with linear interpolation (section 6). */
export const hzLut16: OpDef = {
  op: "HzLut16",
  table: "HzSegmentedLut",
  domain: "horizon",
  infer: (c) => [{ dtype: "int16", shape: c.need(0).shape }],
  // The product is biased before Div, which truncates.
  body: fn(
    "HzLut16",
    ["x", "table"],
    ["y"],
    [],
    "xi=Cast(x){to=i32}; u=Add(xi, i32:32768); f=Mod(u, i32:128); i0=Div(u, i32:128); " +
      "i1=Add(i0, i32:1); t0=Gather(table, i0); t1=Gather(table, i1); t0i=Cast(t0){to=i32}; " +
      "t1i=Cast(t1){to=i32}; g=Sub(i32:128, f); p0=Mul(t0i, g); p1=Mul(t1i, f); p=Add(p0, p1); " +
      "pb=Add(p, i32:8388672); q=Div(pb, i32:128); r=Sub(q, i32:65536); y=Cast(r){to=i16}",
  ),
  run(c) {
    const x = c.need(0);
    lut16(c.arena, { x: x.ptr, y: c.output(0).ptr, table: c.need(1).ptr, n: x.count });
  },
};
