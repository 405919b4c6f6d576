import { fn } from "../../ir/function.ts";
import { max2, min2 } from "../../kernels/elementwise.ts";
import { broadcastShape } from "../broadcast.ts";
import type { OpDef } from "../op.ts";
import { broadcastOf } from "./elementwise.ts";
import { toType } from "./types.ts";

/** Larger or smaller of two tensors of one scale, through int32 (stock runtimes lack int16). */
function extremeOp(op: string, standard: "Max" | "Min"): OpDef {
  const kernel = standard === "Max" ? max2 : min2;
  return {
    op,
    domain: "horizon",
    infer: (c) => [{
      dtype: toType(c.node),
      shape: broadcastShape(c.node, [c.need(0).shape, c.need(1).shape]),
    }],
    body: fn(
      op,
      ["a", "b"],
      ["y"],
      ["to:int"],
      `ai=Cast(a){to=i32}; bi=Cast(b){to=i32}; r=${standard}(ai, bi); y=Cast(r){to=@to}`,
    ),
    run(c) {
      const a = c.need(0), b = c.need(1), y = c.output(0);
      kernel(c.arena, {
        a: a.ptr,
        b: b.ptr,
        y: y.ptr,
        aType: a.dtype as "int8" | "int16",
        bType: b.dtype as "int8" | "int16",
        yType: y.dtype as "int8" | "int16",
        ...broadcastOf(c),
      });
    },
  };
}

export const hzMax = extremeOp("HzSElementwiseMax", "Max");
export const hzMin = extremeOp("HzSElementwiseMin", "Min");
