/**
 * What ArgMax and ArgMin share.
 *
 * @module
 */

import { intAttr } from "../ir/graph.ts";
import { elementCount } from "../ir/tensor.ts";
import { axisOf } from "./args.ts";
import { isBig, toDoubles } from "./convert.ts";
import type { InferContext, OpDef } from "./op.ts";
import { axesLast, reducedShape } from "./reduce.ts";

/** `better(a, b)`: a replaces b as the extreme. */
export function argOp(
  op: string,
  better: (a: number | bigint, b: number | bigint) => boolean,
  place: OpDef["place"],
): OpDef {
  const parts = (c: InferContext) => {
    const { shape } = c.need(0);
    const axis = axisOf(c.node, intAttr(c.node, "axis", 0), shape.length);
    return {
      axis,
      shape: reducedShape(shape, [axis], intAttr(c.node, "keepdims", 1) !== 0),
    };
  };
  return {
    op,
    place,
    infer: (c) => [{ dtype: "int64", shape: parts(c).shape }],
    fold(c) {
      const x = c.constant(0);
      if (x === undefined || x.dtype === "string") return undefined;
      const { axis, shape } = parts(c);
      const n = x.shape[axis]!;
      if (n === 0) return undefined;
      const last = intAttr(c.node, "select_last_index", 0) !== 0;
      const run = axesLast(x, [axis]);
      const v: ArrayLike<number | bigint> = isBig(x.dtype)
        ? run.data as BigInt64Array
        : toDoubles(run);
      const data = new BigInt64Array(elementCount(shape));
      for (let i = 0; i < data.length; i++) {
        let k = 0;
        for (let j = 1; j < n; j++) {
          const a = v[i * n + j]!;
          const b = v[i * n + k]!;
          if (better(a, b) || (last && a === b)) k = j;
        }
        data[i] = BigInt(k);
      }
      return [{ dtype: "int64", shape, data }];
    },
  };
}
