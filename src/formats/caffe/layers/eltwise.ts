/**
 * Eltwise and MatMul: layers that combine their bottoms.
 *
 * @module
 */

import { sameShape, shapeText } from "../../../ir/tensor.ts";
import { attr } from "../../../ir/graph.ts";
import type { Value } from "../build.ts";
import type { Converter, LayerContext } from "../context.ts";
import { EltwiseParameter_EltwiseOp as Op } from "../gen/caffe_pb.ts";

/** Eltwise: product, sum with coefficients, maximum. */
export const eltwise: Converter = (ctx: LayerContext) => {
  ctx.arity([2, Infinity], 1);
  const p = ctx.params.eltwiseParam;
  const operation = p?.operation ?? Op.SUM;
  const coeff = p?.coeff ?? [];
  const first = ctx.input();
  for (const [i, v] of ctx.inputs.entries()) {
    if (sameShape(v.shape, first.shape)) continue;
    ctx.fail(
      `bottom ${i} is ${shapeText(v.shape)}, the first one ${shapeText(first.shape)}`,
      "bottom",
    );
  }
  if (coeff.length !== 0 && coeff.length !== ctx.inputs.length) {
    ctx.fail(`it has ${coeff.length} coeff for ${ctx.inputs.length} bottoms`, "coeff");
  }
  if (coeff.length !== 0 && operation !== Op.SUM) ctx.fail("coeff is for SUM only", "coeff");
  const shape = first.shape;
  if (operation === Op.MAX) {
    ctx.top(ctx.op("Max", ctx.inputs, shape));
    return;
  }
  const last = ctx.inputs.length - 1;
  let sum: Value | undefined;
  ctx.inputs.forEach((v, i) => {
    const c = coeff[i] ?? 1;
    const part = i === last ? undefined : `${i}`;
    if (operation === Op.PROD) {
      sum = sum === undefined ? v : ctx.op("Mul", [sum, v], shape, {}, part);
      return;
    }
    const minus = c === -1 && sum !== undefined;
    const term = c === 1 || minus
      ? v
      : ctx.op("Mul", [v, ctx.scalar(`coeff${i}`, c)], shape, {}, `mul${i}`);
    sum = sum === undefined ? term : ctx.op(minus ? "Sub" : "Add", [sum, term], shape, {}, part);
  });
  ctx.top(sum!);
};

/** MatMul of two bottoms over their last two axes. */
export const matMul: Converter = (ctx: LayerContext) => {
  ctx.arity(2, 1);
  const p = ctx.params.matmulParam;
  const turned = (v: Value, turn: boolean, part: string): Value => {
    const rank = v.shape.length;
    if (rank < 2) ctx.fail(`its bottom ${shapeText(v.shape)} is no matrix`, "bottom");
    if (!turn) return v;
    const perm = v.shape.map((_, i) => i < rank - 2 ? i : 2 * rank - 3 - i);
    return ctx.op("Transpose", [v], perm.map((i) => v.shape[i]!), { perm: attr.ints(perm) }, part);
  };
  const a = turned(ctx.input(0), p?.transposeA ?? false, "a");
  const b = turned(ctx.input(1), p?.transposeB ?? false, "b");
  const wrong = (): never =>
    ctx.fail(
      `its bottoms ${shapeText(a.shape)} and ${shapeText(b.shape)} do not multiply`,
      "bottom",
    );
  if (a.shape.length !== b.shape.length || a.shape.at(-1) !== b.shape.at(-2)) wrong();
  const lead = a.shape.slice(0, -2).map((d, i) => {
    const e = b.shape[i]!;
    if (d !== e && d !== 1 && e !== 1) wrong();
    return Math.max(d, e);
  });
  ctx.top(ctx.op("MatMul", [a, b], [...lead, a.shape.at(-2)!, b.shape.at(-1)!]));
};
