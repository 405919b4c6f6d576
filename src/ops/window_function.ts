/**
 * What the three window functions share: a size, an element type, a sum of cosines.
 *
 * @module
 */

import { intAttr } from "../ir/graph.ts";
import { countInput, dtypeAttr } from "./args.ts";
import { fromDoubles } from "./convert.ts";
import { foldable } from "./nd.ts";
import type { InferContext, OpDef } from "./op.ts";

/** Window whose value at angle t is the sum of `terms[k] * cos(k * t)`. */
export function windowOp(op: string, terms: readonly number[]): OpDef {
  const dtype = (c: InferContext) =>
    dtypeAttr(c.node, intAttr(c.node, "output_datatype", 1), "output_datatype");
  return {
    op,
    infer: (c) => [{ dtype: dtype(c), shape: [countInput(c, 0, "size")] }],
    fold(c) {
      const n = countInput(c, 0, "size");
      if (!foldable([n])) return undefined;
      // A symmetric window ends where it began; a periodic one would one step later.
      const period = intAttr(c.node, "periodic", 1) !== 0 ? n : n - 1;
      const values = Float64Array.from({ length: n }, (_, i) => {
        const t = period === 0 ? 0 : 2 * Math.PI * i / period;
        return terms.reduce((s, a, k) => s + a * Math.cos(k * t), 0);
      });
      return [{ dtype: dtype(c), shape: [n], data: fromDoubles(dtype(c), values) }];
    },
  };
}
