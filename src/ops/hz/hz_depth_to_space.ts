import { fn } from "../../ir/function.ts";
import { intAttr } from "../../ir/graph.ts";
import { runDepthToSpace, runSpaceToDepth } from "../movement_run.ts";
import type { OpDef } from "../op.ts";

/** int16 DepthToSpace through float32 (stock runtimes have none). */
export const hzDepthToSpace16: OpDef = {
  op: "HzDepthToSpaceI16",
  table: "HzDepthToSpace",
  domain: "horizon",
  infer(c) {
    const [n, d, h, w] = c.need(0).shape;
    const b = intAttr(c.node, "blocksize");
    return [{ dtype: "int16", shape: [n!, d! / (b * b), h! * b, w! * b] }];
  },
  body: fn(
    "HzDepthToSpaceI16",
    ["x"],
    ["y"],
    ["blocksize:int", "mode:string"],
    "f=Cast(x){to=f32}; g=DepthToSpace(f){blocksize=@blocksize mode=@mode}; y=Cast(g){to=i16}",
  ),
  run: runDepthToSpace,
};

/** int16 SpaceToDepth through float32. */
export const hzSpaceToDepth16: OpDef = {
  op: "HzSpaceToDepthI16",
  table: "HzSpaceToDepth",
  domain: "horizon",
  infer(c) {
    const [n, d, h, w] = c.need(0).shape;
    const b = intAttr(c.node, "blocksize");
    return [{ dtype: "int16", shape: [n!, d! * b * b, h! / b, w! / b] }];
  },
  body: fn(
    "HzSpaceToDepthI16",
    ["x"],
    ["y"],
    ["blocksize:int"],
    "f=Cast(x){to=f32}; g=SpaceToDepth(f){blocksize=@blocksize}; y=Cast(g){to=i16}",
  ),
  run: runSpaceToDepth,
};
