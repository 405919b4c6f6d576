/**
 * ArgMax and Reduction.
 *
 * @module
 */

import { isFieldSet } from "../../../deps.ts";
import { attr } from "../../../ir/graph.ts";
import { elementCount } from "../../../ir/tensor.ts";
import type { Converter, LayerContext } from "../context.ts";
import { ArgMaxParameterSchema, ReductionParameter_ReductionOp as Op } from "../gen/caffe_pb.ts";
import type { Value } from "../build.ts";

/**
 * ArgMax along an axis, or over each whole sample. Indices are floats, as all blobs of Caffe; of equal
 * maxima Caffe takes the last.
 */
export const argMax: Converter = (ctx: LayerContext) => {
  ctx.arity(1, 1);
  const p = ctx.params.argmaxParam;
  const topK = p?.topK ?? 1;
  const values = p?.outMaxVal ?? false;
  const x = ctx.input();
  const given = p !== undefined && isFieldSet(p, ArgMaxParameterSchema.field.axis);
  const axis = given ? ctx.axis(p.axis, x.shape.length) : 1;
  if (x.shape.length === 0) ctx.fail("its input has no axes", "bottom");
  const flat = given ? x : ctx.reshape(x, [x.shape[0]!, elementCount(x.shape.slice(1))], "flatten");
  if (topK < 1 || topK > flat.shape[axis]!) {
    ctx.fail(`top_k must be 1 to ${flat.shape[axis]}`, "top_k");
  }
  const shape = flat.shape.map((d, i) => i === axis ? topK : d);
  const needIndices = !(given && values);
  let best: Value | undefined;
  let index: Value | undefined;
  if (topK === 1) {
    if (needIndices) {
      index = ctx.op(
        "ArgMax",
        [flat],
        shape,
        { axis: attr.int(axis), keepdims: attr.int(1), select_last_index: attr.int(1) },
        undefined,
        "int64",
      );
    }
    if (values) {
      const attrs = { axes: attr.ints([axis]), keepdims: attr.int(1) };
      best = ctx.op("ReduceMax", [flat], shape, attrs, needIndices ? "value" : undefined);
    }
  } else {
    const types = [{ dtype: "float32", shape }, { dtype: "int64", shape }] as const;
    [best, index] = ctx.ops("TopK", [flat, ctx.ints("k", [topK])], types, {
      axis: attr.int(axis),
      largest: attr.int(1),
      sorted: attr.int(1),
    });
  }
  const indices = needIndices
    ? ctx.op("Cast", [index], shape, { to: attr.int(1) }, "cast")
    : undefined;
  if (given) {
    ctx.top(values ? best! : indices!);
    return;
  }
  // One sample each: indices, then values; Caffe gives the blob at least three axes.
  const rank = Math.max(x.shape.length, 3);
  const n = x.shape[0]!;
  const wide = (rows: number): number[] => [n, rows, topK, ...new Array<number>(rank - 3).fill(1)];
  const rows = [indices!, ...(values ? [best!] : [])].map((v, i) =>
    ctx.reshape(v, wide(1), i === 0 ? "indices" : "values")
  );
  ctx.top(
    rows.length === 1 ? rows[0]! : ctx.op("Concat", rows, wide(2), { axis: attr.int(1) }, "concat"),
  );
};

const OPS: ReadonlyMap<Op, string> = new Map([
  [Op.SUM, "ReduceSum"],
  [Op.ASUM, "ReduceL1"],
  [Op.SUMSQ, "ReduceSumSquare"],
  [Op.MEAN, "ReduceMean"],
  [Op.MAX, "ReduceMax"],
  [Op.MIN, "ReduceMin"],
  [Op.PROD, "ReduceProd"],
  [Op.LOGSUM, "ReduceLogSum"],
]);

/** Reduction of all axes from `axis` on, times a coefficient. */
export const reduction: Converter = (ctx: LayerContext) => {
  ctx.arity(1, 1);
  const p = ctx.params.reductionParam;
  const x = ctx.input();
  const rank = x.shape.length;
  const from = ctx.axis(p?.axis ?? 0, rank);
  const lead = x.shape.slice(0, from);
  const op = OPS.get(p?.operation ?? Op.SUM)!;
  const coeff = p?.coeff ?? 1;
  // One axis: what every runtime and the boards' CPU kernels take.
  const rows = elementCount(lead);
  const flat = ctx.reshape(x, [rows, elementCount(x.shape.slice(from))], "flatten");
  const keep = { keepdims: attr.int(0) };
  // Until opset 18 only ReduceSum takes its axes as an input.
  let y = op === "ReduceSum"
    ? ctx.op(op, [flat, ctx.ints("axes", [1])], [rows], keep)
    : ctx.op(op, [flat], [rows], { ...keep, axes: attr.ints([1]) });
  if (coeff !== 1) y = ctx.op("Mul", [y, ctx.scalar("coeff", coeff)], [rows], {}, "mul");
  ctx.top(ctx.reshape(y, lead, "reshape"));
};
