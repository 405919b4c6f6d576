import { fn } from "../../ir/function.ts";
import { byteSize } from "../../ir/tensor.ts";
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
  orderless: (constant) => constant(1)?.data.length === 1,
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
    const xType = quantType(c.node, x.dtype);
    const zero = Number(c.constant(2)!.data[0]);
    if (scale.length === 1 || x.shape.length === 4) {
      const each = scale.length === 1 ? scale[0]! : scale;
      dequantize(c.arena, { x: x.ptr, y: y.ptr, n: x.count, xType, scale: each, zero });
      return;
    }
    // Row-major [N, C, ...]: the kernel's scales are those of the last axis, so each channel is a call.
    const n = x.count / (x.shape[0]! * scale.length);
    for (let i = 0; i < x.shape[0]! * scale.length; i++) {
      dequantize(c.arena, {
        x: x.ptr + i * n * byteSize(x.dtype),
        y: y.ptr + i * n * 4,
        n,
        xType,
        scale: scale[i % scale.length]!,
        zero,
      });
    }
  },
};
