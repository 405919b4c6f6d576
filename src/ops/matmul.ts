import type { Node } from "../ir/graph.ts";
import { elementCount, shapeText, type TensorType } from "../ir/tensor.ts";
import { broadcastStrides, tryBroadcast } from "./broadcast.ts";
import { modelError } from "./context.ts";
import { fromDoubles, isFloat, toDoubles } from "./convert.ts";
import { matmulOnBayes, matmulOnBernoulli2 } from "./matmul_rules.ts";
import { matrixProduct } from "./matrix.ts";
import { type InferContext, type OpDef, shapeError } from "./op.ts";
import { dtypeFloat, onBpu, place } from "./rules.ts";
import { matmulQuant } from "./lower/matmul.ts";

/** Shape of a product as numpy's matmul defines it: leading dimensions broadcast. */
export function productShape(n: Node, a: readonly number[], b: readonly number[]): number[] {
  if (a.length === 0 || b.length === 0) shapeError(n, "an input is a scalar");
  const [ka, kb] = [a[a.length - 1]!, b.length === 1 ? b[0]! : b[b.length - 2]!];
  if (ka >= 0 && kb >= 0 && ka !== kb) {
    shapeError(n, `its inputs ${shapeText(a)} and ${shapeText(b)} differ in the inner dimension`);
  }
  const batch = tryBroadcast([a.slice(0, -2), b.slice(0, -2)]);
  if (batch === undefined) {
    return shapeError(n, `its inputs ${shapeText(a)} and ${shapeText(b)} do not broadcast`);
  }
  return [
    ...batch,
    ...(a.length > 1 ? [a[a.length - 2]!] : []),
    ...(b.length > 1 ? [b[b.length - 1]!] : []),
  ];
}

function infer(c: InferContext): TensorType[] {
  const [a, b] = [c.need(0), c.need(1)];
  if (a.dtype !== b.dtype) modelError(c.node, `its inputs are ${a.dtype} and ${b.dtype}`);
  return [{ dtype: a.dtype, shape: productShape(c.node, a.shape, b.shape) }];
}

/** Values of a product of two tensors in binary64. */
export function productOf(
  a: { readonly shape: readonly number[]; readonly values: Float64Array },
  b: { readonly shape: readonly number[]; readonly values: Float64Array },
): Float64Array {
  const sa = a.shape.length === 1 ? [1, ...a.shape] : a.shape;
  const sb = b.shape.length === 1 ? [...b.shape, 1] : b.shape;
  const [m, k] = sa.slice(-2) as [number, number];
  const n = sb[sb.length - 1]!;
  const [la, lb] = [sa.slice(0, -2), sb.slice(0, -2)];
  const batch = tryBroadcast([la, lb])!;
  const [stepA, stepB] = [broadcastStrides(la, batch), broadcastStrides(lb, batch)];
  const count = elementCount(batch);
  const y = new Float64Array(count * m * n);
  for (let i = 0; i < count; i++) {
    let [at, pa, pb] = [i, 0, 0];
    for (let d = batch.length - 1; d >= 0; d--) {
      const index = at % batch[d]!;
      at = Math.floor(at / batch[d]!);
      pa += index * stepA[d]!;
      pb += index * stepB[d]!;
    }
    matrixProduct(a.values, b.values, m, n, k, false, false, pa * m * k, pb * k * n, y, i * m * n);
  }
  return y;
}

/** Matrix product with numpy's rules for vectors and leading dimensions. */
export const matmul: OpDef = {
  op: "MatMul",
  quant: matmulQuant,
  infer,
  fold(c) {
    const [a, b] = [c.constant(0), c.constant(1)];
    if (a === undefined || b === undefined || !isFloat(a.dtype)) return undefined;
    const shape = productShape(c.node, a.shape, b.shape);
    const y = productOf(
      { shape: a.shape, values: toDoubles(a) },
      { shape: b.shape, values: toDoubles(b) },
    );
    return [{ dtype: a.dtype, shape, data: fromDoubles(a.dtype, y) }];
  },
  place: place(
    onBpu("unstated", matmulOnBayes, [dtypeFloat], "sizes"),
    onBpu("no", matmulOnBernoulli2, [dtypeFloat]),
  ),
  macs(c) {
    const a = c.need(0).shape;
    return elementCount(c.output(0).shape) * (a[a.length - 1] ?? 1);
  },
};
