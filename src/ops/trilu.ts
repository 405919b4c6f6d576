import { intAttr } from "../ir/graph.ts";
import { elementCount } from "../ir/tensor.ts";
import { integerInput } from "./args.ts";
import { given } from "./context.ts";
import { reshaped, take } from "./nd.ts";
import { type OpDef, shapeError } from "./op.ts";

/** Upper or lower triangle of matrices. */
export const trilu: OpDef = {
  op: "Trilu",
  infer(c) {
    const { dtype, shape } = c.need(0);
    if (shape.length < 2) shapeError(c.node, "the input must have rank 2 or more");
    return [{ dtype, shape }];
  },
  fold(c) {
    const x = c.constant(0);
    const k = given(c, 1) ? integerInput(c, 1, "k")?.[0] : 0;
    if (x === undefined || k === undefined) return undefined;
    const upper = intAttr(c.node, "upper", 1) !== 0;
    const columns = x.shape.at(-1)!;
    const rows = x.shape.at(-2)!;
    const from = new Int32Array(elementCount(x.shape));
    for (let i = 0; i < from.length; i++) {
      const column = i % columns;
      const row = Math.floor(i / columns) % rows;
      const keep = upper ? column - row >= k : column - row <= k;
      from[i] = keep ? i : -1;
    }
    return [reshaped(take(x, [from]), x.shape)];
  },
};
