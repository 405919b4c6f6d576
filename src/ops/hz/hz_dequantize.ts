import { fn } from "../../ir/function.ts";
import { dequantize } from "../../kernels/quantize.ts";
import type { OpDef } from "../op.ts";
import { quantType } from "./types.ts";

/**
 * Integers to float32 (section 2): inputs x, scale (a scalar, or [1,C,1,1] for accumulators of a
 * convolution), zero.
 */
export const hzDequantize: OpDef = {
  op: "HzDequantize",
  domain: "horizon",
  packs: [1, 2],
  infer: (c) => [{ dtype: "float32", shape: c.need(0).shape }],
  body: fn(
    "HzDequantize",
    ["x", "scale", "zero"],
    ["y"],
    [],
    "f=Cast(x){to=f32}; z=Cast(zero){to=f32}; d=Sub(f, z); y=Mul(d, scale)",
  ),
  run(c) {
    const x = c.need(0), y = c.output(0), scale = c.constant(1)!.data as Float32Array;
    dequantize(c.arena, {
      x: x.ptr,
      y: y.ptr,
      n: x.count,
      xType: quantType(c.node, x.dtype),
      scale: scale.length === 1 ? scale[0]! : scale,
      zero: Number(c.constant(2)!.data[0]),
    });
  },
};
