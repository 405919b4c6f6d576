import { fn } from "../../ir/function.ts";
import { intAttr } from "../../ir/graph.ts";
import { elementCount } from "../../ir/tensor.ts";
import type { OpDef, View } from "../op.ts";
import { integersAt } from "./memory.ts";
import { toType } from "./types.ts";

/**
 * The k largest or smallest elements along an axis, best first, equal ones by position: inputs x, k;
 * outputs values and indices (int32).
 */
export const hzTopK: OpDef = {
  op: "HzTopK",
  domain: "horizon",
  packs: [1],
  infer(c) {
    const axis = intAttr(c.node, "axis");
    const k = Number(c.constant(1)!.data[0]);
    const shape = c.need(0).shape.map((d, i) => i === axis ? k : d);
    return [{ dtype: toType(c.node), shape }, { dtype: "int32", shape }];
  },
  body: fn(
    "HzTopK",
    ["x", "k"],
    ["y", "indices"],
    ["axis:int", "largest:int", "to:int"],
    "xi=Cast(x){to=i32}; v, i=TopK(xi, k){axis=@axis largest=@largest sorted=1}; " +
      "y=Cast(v){to=@to}; indices=Cast(i){to=i32}",
  ),
  run(c) {
    const x = c.need(0), y = c.output(0), j = c.output(1);
    const axis = intAttr(c.node, "axis"), sign = intAttr(c.node, "largest") === 1 ? -1 : 1;
    const size = x.shape[axis]!, k = y.shape[axis]!;
    const reach = (v: View) =>
      1 + v.shape.reduce((a, d, i) => a + Math.max(0, d - 1) * v.strides[i]!, 0);
    const from = integersAt(c, x.ptr, reach(x), x.dtype);
    const to = integersAt(c, y.ptr, reach(y), y.dtype), indices = c.arena.i32(j.ptr, reach(j));
    const rest = x.shape.map((d, i) => i === axis ? 1 : d);
    const at = new Array<number>(rest.length).fill(0);
    const order = new Int32Array(size);
    const offset = (v: View) => at.reduce((a, p, i) => a + p * v.strides[i]!, 0);
    for (let i = 0; i < elementCount(rest); i++) {
      const [ox, oy, oj] = [offset(x), offset(y), offset(j)];
      const value = (p: number) => from[ox + p * x.strides[axis]!]!;
      for (let p = 0; p < size; p++) order[p] = p;
      order.sort((p, q) => sign * (value(p) - value(q)) || p - q);
      for (let p = 0; p < k; p++) {
        to[oy + p * y.strides[axis]!] = value(order[p]!);
        indices[oj + p * j.strides[axis]!] = order[p]!;
      }
      for (let d = rest.length - 1; d >= 0; d--) {
        if (++at[d]! < rest[d]!) break;
        at[d] = 0;
      }
    }
  },
};
