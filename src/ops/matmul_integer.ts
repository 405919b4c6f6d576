import type { Tensor } from "../ir/tensor.ts";
import { given } from "./context.ts";
import { fromDoubles, toDoubles } from "./convert.ts";
import { productOf, productShape } from "./matmul.ts";
import type { InferContext, OpDef } from "./op.ts";
import { everywhere, notIntegrated } from "./rules.ts";

function shifted(t: Tensor, zero: Tensor | undefined): Float64Array | undefined {
  if (zero !== undefined && zero.data.length !== 1) return undefined;
  const z = zero === undefined ? 0 : toDoubles(zero)[0]!;
  return toDoubles(t).map((v) => v - z);
}

const shapeOf = (c: InferContext) => productShape(c.node, c.need(0).shape, c.need(1).shape);

/** Product of 8-bit integers to int32: A, B, their zero points. */
export const matmulInteger: OpDef = {
  op: "MatMulInteger",
  infer: (c) => [{ dtype: "int32", shape: shapeOf(c) }],
  fold(c) {
    const [a, b, za, zb] = [c.constant(0), c.constant(1), c.constant(2), c.constant(3)];
    if (a === undefined || b === undefined) return undefined;
    if ((given(c, 2) && za === undefined) || (given(c, 3) && zb === undefined)) return undefined;
    const [x, y] = [shifted(a, za), shifted(b, zb)];
    if (x === undefined || y === undefined) return undefined;
    const v = productOf({ shape: a.shape, values: x }, { shape: b.shape, values: y });
    return [{ dtype: "int32", shape: shapeOf(c), data: fromDoubles("int32", v) }];
  },
  place: everywhere(notIntegrated()),
};
