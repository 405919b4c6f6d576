/**
 * What the random operators share: element type and shape. Random values are never folded.
 *
 * @module
 */

import { intAttr, intsAttr } from "../ir/graph.ts";
import type { DType } from "../ir/tensor.ts";
import { checkedShape, dtypeAttr } from "./args.ts";
import type { InferContext, OpDef } from "./op.ts";

/** `dtype` attribute, or the fallback. */
export function randomDtype(c: InferContext, fallback: DType): DType {
  return c.node.attrs.has("dtype")
    ? dtypeAttr(c.node, intAttr(c.node, "dtype"), "dtype")
    : fallback;
}

/** Shape from the `shape` attribute. */
export function randomOp(op: string, rows?: OpDef["place"]): OpDef {
  return {
    op,
    place: rows,
    infer: (c) => [{
      dtype: randomDtype(c, "float32"),
      shape: checkedShape(c.node, intsAttr(c.node, "shape"), "shape"),
    }],
  };
}

/** Shape of input 0. */
export function randomLikeOp(op: string, rows?: OpDef["place"]): OpDef {
  return {
    op,
    place: rows,
    infer(c) {
      const { dtype, shape } = c.need(0);
      return [{ dtype: randomDtype(c, dtype), shape }];
    },
  };
}
