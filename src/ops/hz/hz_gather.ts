import { fn } from "../../ir/function.ts";
import { gather } from "../gather.ts";
import { gatherElements } from "../gather_elements.ts";
import type { OpDef } from "../op.ts";

/**
 * The standard operator with computed indices (int16, int32 or int64): negative ones count from the end,
 * and what is still outside becomes the first or last element, where the standard operator would fail.
 */
function withIndices(op: string, standard: OpDef): OpDef {
  return {
    op,
    domain: "horizon",
    infer: standard.infer,
    body: fn(
      op,
      ["x", "indices"],
      ["y"],
      ["axis:int"],
      "s=Shape(x); n=Gather(s, @axis){axis=0}; i=Cast(indices){to=i64}; e=Add(i, n); " +
        "b=Less(i, i64:0); f=Where(b, e, i); l=Max(f, i64:0); m=Sub(n, i64:1); k=Min(l, m); " +
        `y=${standard.op}(x, k){axis=@axis}`,
    ),
    run: standard.run!,
  };
}

/** Slices by computed index along `axis` (not negative): inputs x, indices. */
export const hzGather: OpDef = withIndices("HzGather", gather);

/** Elements by computed index along `axis` (not negative): inputs x, indices. */
export const hzGatherElements: OpDef = withIndices("HzGatherElements", gatherElements);
