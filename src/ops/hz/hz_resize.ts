import { fn } from "../../ir/function.ts";
import { resizeLinear, resizeNearest } from "../../kernels/resize.ts";
import type { OpDef, StepContext } from "../op.ts";
import { body, settle, settleAttrs } from "./fragments.ts";
import { toType } from "./types.ts";

function geometry(c: StepContext) {
  const x = c.need(0), y = c.output(0);
  return {
    x: x.ptr,
    y: y.ptr,
    type: x.dtype as "int8" | "int16",
    batch: x.shape[0]!,
    inH: x.shape[2]!,
    inW: x.shape[3]!,
    channels: x.shape[1]!,
    outH: y.shape[2]!,
    outW: y.shape[3]!,
  };
}

const table = (c: StepContext, i: number) => c.constant(i)!.data as Int32Array;

/** Nearest (section 8): inputs x, index per row, index per column (int32). */
export const hzResizeNearest: OpDef = {
  op: "HzQuantizedResizeNearest",
  table: "HzQuantizedResizeUpsample",
  domain: "horizon",
  keepsSign: true,
  packs: [1, 2, 3, 4, 5, 6],
  infer(c) {
    const x = c.need(0);
    const [n, ch] = x.shape;
    return [{ dtype: x.dtype, shape: [n!, ch!, c.need(1).shape[0]!, c.need(2).shape[0]!] }];
  },
  body: fn(
    "HzQuantizedResizeNearest",
    ["x", "rows", "columns"],
    ["y"],
    [],
    "g=Gather(x, rows){axis=2}; y=Gather(g, columns){axis=3}",
  ),
  run(c) {
    resizeNearest(c.arena, { ...geometry(c), indexH: table(c, 1), indexW: table(c, 2) });
  },
};

/**
 * Linear (section 8): inputs x, then per axis first index, second index and weight of the second in
 * units of 2^-11 (int32): r0, r1, rw, c0, c1, cw.
 */
export const hzResizeLinear: OpDef = {
  op: "HzQuantizedResizeLinear",
  table: "HzQuantizedResizeUpsample",
  domain: "horizon",
  keepsSign: true,
  packs: [1, 2, 3, 4, 5, 6],
  infer(c) {
    const [n, ch] = c.need(0).shape;
    return [{
      dtype: toType(c.node),
      shape: [n!, ch!, c.need(1).shape[0]!, c.need(4).shape[0]!],
    }];
  },
  body: fn(
    "HzQuantizedResizeLinear",
    ["x", "r0", "r1", "rw", "c0", "c1", "cw"],
    ["y"],
    settleAttrs,
    body(
      "ru=Unsqueeze(rw, i64:[1]); rb=Cast(ru){to=f64}; ra=Sub(f64:2048, rb); cb=Cast(cw){to=f64}; " +
        "ca=Sub(f64:2048, cb); x0=Gather(x, r0){axis=2}; x1=Gather(x, r1){axis=2}; " +
        "f0=Cast(x0){to=f64}; f1=Cast(x1){to=f64}; h0=Mul(f0, ra); h1=Mul(f1, rb); h=Add(h0, h1); " +
        "g0=Gather(h, c0){axis=3}; g1=Gather(h, c1){axis=3}; v0=Mul(g0, ca); v1=Mul(g1, cb); " +
        "vs=Add(v0, v1); v=Div(vs, f64:4194304)",
      settle("v"),
    ),
  ),
  run(c) {
    resizeLinear(c.arena, {
      ...geometry(c),
      axisH: { i0: table(c, 1), i1: table(c, 2), w: table(c, 3) },
      axisW: { i0: table(c, 4), i1: table(c, 5), w: table(c, 6) },
    });
  },
};
