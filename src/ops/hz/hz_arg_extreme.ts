import { fn } from "../../ir/function.ts";
import { intAttr, intsAttr } from "../../ir/graph.ts";
import { argmax } from "../../kernels/reduce.ts";
import type { OpDef } from "../op.ts";
import { reducedType, reduceOver } from "./hz_reduce.ts";

/** Index of the largest or smallest element along one axis, int32; the first of equals, or the last. */
function argOp(op: string, standard: "ArgMax" | "ArgMin"): OpDef {
  return {
    op,
    domain: "horizon",
    infer: (c) => [{ dtype: "int32", shape: reducedType(c) }],
    body: fn(
      op,
      ["x"],
      ["y"],
      // `axes` repeats `axis`: shapes follow from it as in the reductions.
      ["axis:int", "axes:ints", "keepdims:int", "select_last_index:int"],
      `xi=Cast(x){to=i32}; r=${standard}(xi){axis=@axis keepdims=@keepdims ` +
        "select_last_index=@select_last_index}; y=Cast(r){to=i32}",
    ),
    run(c) {
      const xType = c.need(0).dtype as "int8" | "int16";
      reduceOver(c, intsAttr(c.node, "axes"), (view, x, y) =>
        argmax(c.arena, {
          ...view,
          x,
          y,
          xType,
          minimum: standard === "ArgMin",
          selectLast: intAttr(c.node, "select_last_index") === 1,
        }));
    },
  };
}

export const hzArgMax = argOp("HzArgMax", "ArgMax");
export const hzArgMin = argOp("HzArgMin", "ArgMin");
