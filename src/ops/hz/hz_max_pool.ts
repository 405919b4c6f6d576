import { fn } from "../../ir/function.ts";
import { intsAttr } from "../../ir/graph.ts";
import { maxPool } from "../../kernels/pool.ts";
import type { OpDef } from "../op.ts";
import { poolShape, windowOf, windowOut } from "./window.ts";

const window = "{kernel_shape=@kernel_shape pads=@pads strides=@strides dilations=@dilations}";

function maxPoolOp(op: string, text: string): OpDef {
  return {
    op,
    table: "HzQuantizedMaxPool",
    domain: "horizon",
    keepsSign: true,
    infer(c) {
      const x = c.need(0);
      const g = windowOf(c.node, intsAttr(c.node, "kernel_shape"));
      return [{
        dtype: x.dtype,
        shape: [
          x.shape[0]!,
          x.shape[1]!,
          windowOut(x.shape[2]!, g.kernelH, g.strideH, g.padTop, g.padBottom, g.dilationH),
          windowOut(x.shape[3]!, g.kernelW, g.strideW, g.padLeft, g.padRight, g.dilationW),
        ],
      }];
    },
    body: fn(
      op,
      ["x"],
      ["y"],
      ["kernel_shape:ints", "pads:ints", "strides:ints", "dilations:ints"],
      text,
    ),
    run(c) {
      const x = c.need(0), y = c.output(0);
      maxPool(c.arena, {
        x: x.ptr,
        y: y.ptr,
        type: x.dtype as "int8" | "int16",
        shape: poolShape(c),
      });
    },
  };
}

/**
 * Maximum of the taps inside the picture (section 7); ceil mode is expressed by the end pads. Stock
 * runtimes have no int16 MaxPool, so that form goes through float32, which holds every int16.
 */
export const hzMaxPool = maxPoolOp("HzQuantizedMaxPool", `y=MaxPool(x)${window}`);
export const hzMaxPool16 = maxPoolOp(
  "HzQuantizedMaxPoolI16",
  `xf=Cast(x){to=f32}; p=MaxPool(xf)${window}; y=Cast(p){to=i16}`,
);
