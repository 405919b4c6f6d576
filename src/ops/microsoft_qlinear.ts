/**
 * Operators of the `com.microsoft` domain that quantized (QOperator) models of onnxruntime contain:
 * types only. They run on the CPU, or are rewritten when a quantized model is imported.
 *
 * @module
 */

import { intAttr } from "../ir/graph.ts";
import type { TensorType } from "../ir/tensor.ts";
import { axisOf } from "./args.ts";
import { broadcastShape } from "./broadcast.ts";
import type { InferContext, OpDef } from "./op.ts";
import { windowOf, windowShape } from "./spatial.ts";

const domain = "com.microsoft";

/** y has the type and shape of input 0. */
function same(op: string): OpDef {
  return { op, domain, infer: (c) => [{ dtype: c.need(0).dtype, shape: c.need(0).shape }] };
}

/** A, its scale and zero point, B likewise, C's scale and zero point. */
function binary(op: string): OpDef {
  return {
    op,
    domain,
    infer: (c) => [{
      dtype: c.need(0).dtype,
      shape: broadcastShape(c.node, [c.need(0).shape, c.need(3).shape]),
    }],
  };
}

/** Applies `f` to the spatial dimensions, wherever `channels_last` says that they are. */
function spatial(c: InferContext, f: (size: readonly number[]) => readonly number[]): TensorType {
  const { dtype, shape } = c.need(0);
  const last = intAttr(c.node, "channels_last", 0) !== 0;
  const out = last
    ? [shape[0]!, ...f(shape.slice(1, -1)), shape[shape.length - 1]!]
    : [...shape.slice(0, 2), ...f(shape.slice(2))];
  return { dtype, shape: out };
}

const averagePool: OpDef = {
  op: "QLinearAveragePool",
  domain,
  infer: (c) => [spatial(c, (size) => windowShape(c.node, size, windowOf(c.node, size)))],
};

const globalAveragePool: OpDef = {
  op: "QLinearGlobalAveragePool",
  domain,
  infer: (c) => [spatial(c, (size) => size.map(() => 1))],
};

/** Scale and zero point of y, then value, scale and zero point of each part. */
const concat: OpDef = {
  op: "QLinearConcat",
  domain,
  infer(c) {
    const { dtype, shape } = c.need(2);
    const axis = axisOf(c.node, intAttr(c.node, "axis"), shape.length);
    let sum = 0;
    for (let i = 2; i < c.node.inputs.length; i += 3) {
      const d = c.need(i).shape[axis] ?? -1;
      sum = sum < 0 || d < 0 ? -1 : sum + d;
    }
    return [{ dtype, shape: shape.map((d, i) => i === axis ? sum : d) }];
  },
};

/** The operators of this file. */
export const microsoftQlinear: readonly OpDef[] = [
  averagePool,
  binary("QLinearAdd"),
  binary("QLinearMul"),
  concat,
  globalAveragePool,
  same("QLinearLeakyRelu"),
  same("QLinearSigmoid"),
  same("QLinearSoftmax"),
];
