/**
 * Scale, Bias, Axpy: multiply and add along some axes.
 *
 * @module
 */

import { sameShape } from "../../../ir/tensor.ts";
import type { Value } from "../build.ts";
import type { BlobSpec, Converter, LayerContext } from "../context.ts";

/** Axes that a learned parameter covers: `[first, behind the last]`. */
function covered(ctx: LayerContext, x: Value, axis: number, axes: number): [number, number] {
  const rank = x.shape.length;
  const from = ctx.axis(axis, rank);
  if (axes < -1) ctx.fail("num_axes must be -1, 0 or positive", "num_axes");
  const to = axes === -1 ? rank : from + axes;
  if (to > rank) ctx.fail(`axis ${axis} and num_axes ${axes} exceed ${rank} axes`, "num_axes");
  return [from, to];
}

/** `part` at `from` among ones, so that it broadcasts against a tensor of `rank` axes. */
function among(rank: number, from: number, part: readonly number[]): number[] {
  const ones = (n: number): number[] => new Array<number>(n).fill(1);
  return [...ones(from), ...part, ...ones(rank - from - part.length)];
}

/** The second bottom, shaped to broadcast against the first from `axis` on. */
function aligned(ctx: LayerContext, x: Value, b: Value, axis: number): Value {
  const rank = x.shape.length;
  // A scalar fits whatever the axis says.
  const from = b.shape.length === 0 ? 0 : ctx.axis(axis, rank);
  if (!sameShape(b.shape, x.shape.slice(from, from + b.shape.length))) {
    ctx.fail(
      `its second bottom ${b.shape.join("x")} does not fit axis ${axis} of ${x.shape.join("x")}`,
      "bottom",
    );
  }
  return ctx.reshape(b, among(rank, from, b.shape), "reshape");
}

/** Scale: x * scale (+ bias); the scale is learned, or the second bottom. */
export const scale: Converter = (ctx: LayerContext) => {
  ctx.arity([1, 2], 1);
  const p = ctx.params.scaleParam;
  const x = ctx.input();
  const rank = x.shape.length;
  const axis = p?.axis ?? 1;
  const biased = p?.biasTerm ?? false;
  const learned = ctx.inputs.length === 1;
  let range: [number, number];
  let factor: Value | undefined;
  if (learned) {
    range = covered(ctx, x, axis, p?.numAxes ?? 1);
  } else {
    factor = aligned(ctx, x, ctx.input(1), axis);
    const from = ctx.input(1).shape.length === 0 ? 0 : ctx.axis(axis, rank);
    range = [from, from + ctx.input(1).shape.length];
  }
  const shape = x.shape.slice(...range);
  const specs: BlobSpec[] = [];
  if (learned) specs.push({ what: "scale", shape, filler: p?.filler });
  if (biased) specs.push({ what: "bias", shape, filler: p?.biasFiller });
  const blobs = specs.length === 0 ? [] : ctx.weights(specs);
  const wide = among(rank, range[0], shape);
  factor ??= ctx.constant("scale", { ...blobs.shift()!, shape: wide });
  const y = ctx.op("Mul", [x, factor], x.shape);
  if (!biased) {
    ctx.top(y);
    return;
  }
  const bias = ctx.constant("bias", { ...blobs[0]!, shape: wide });
  ctx.top(ctx.op("Add", [y, bias], x.shape, {}, "add"));
};

/** Bias: x + bias; learned, or the second bottom. */
export const bias: Converter = (ctx: LayerContext) => {
  ctx.arity([1, 2], 1);
  const p = ctx.params.biasParam;
  const x = ctx.input();
  const axis = p?.axis ?? 1;
  if (ctx.inputs.length === 2) {
    ctx.top(ctx.op("Add", [x, aligned(ctx, x, ctx.input(1), axis)], x.shape));
    return;
  }
  const [from, to] = covered(ctx, x, axis, p?.numAxes ?? 1);
  const shape = x.shape.slice(from, to);
  const [blob] = ctx.weights([{ what: "bias", shape, filler: p?.filler }]);
  const wide = among(x.shape.length, from, shape);
  ctx.top(ctx.op("Add", [x, ctx.constant("bias", { ...blob!, shape: wide })], x.shape));
};

/** Axpy: a x + y, one factor a per channel. */
export const axpy: Converter = (ctx: LayerContext) => {
  ctx.arity(3, 1);
  const [a, x, y] = [ctx.input(0), ctx.input(1), ctx.input(2)];
  const [n, c] = x.shape;
  const lead = a.shape.slice(0, 2);
  if (
    n === undefined || c === undefined || !sameShape(lead, [n, c]) ||
    a.shape.slice(2).some((d) => d !== 1)
  ) {
    ctx.fail(`its factor ${a.shape.join("x")} is not one per channel of ${x.shape.join("x")}`);
  }
  if (!sameShape(x.shape, y.shape)) {
    ctx.fail(`its bottoms ${x.shape.join("x")} and ${y.shape.join("x")} differ`, "bottom");
  }
  const factor = ctx.reshape(a, among(x.shape.length, 0, [n, c]), "reshape");
  const product = ctx.op("Mul", [x, factor], x.shape, {}, "mul");
  ctx.top(ctx.op("Add", [product, y], x.shape));
};
