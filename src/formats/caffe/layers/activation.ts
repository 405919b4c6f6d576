/**
 * Element-wise functions of one bottom.
 *
 * @module
 */

import { isFieldSet } from "../../../deps.ts";
import { attr } from "../../../ir/graph.ts";
import { f32 } from "../../../ir/tensor.ts";
import type { Value } from "../build.ts";
import type { Converter, LayerContext } from "../context.ts";
import { ClipParameterSchema } from "../gen/caffe_pb.ts";

/** A layer that is one ONNX operator without attributes. */
function plain(op: string): Converter {
  return (ctx: LayerContext) => {
    ctx.arity(1, 1);
    ctx.top(ctx.op(op, [ctx.input()], ctx.input().shape));
  };
}

export const sigmoid = plain("Sigmoid");
export const tanh = plain("Tanh");
export const abs = plain("Abs");
/** log(1 + exp(x)), which both sides compute without overflow. */
export const bnll = plain("Softplus");

function leaky(ctx: LayerContext, x: Value, slope: number, part?: string): Value {
  return slope === 0
    ? ctx.op("Relu", [x], x.shape, {}, part)
    : ctx.op("LeakyRelu", [x], x.shape, { alpha: attr.float(slope) }, part);
}

/** ReLU, with a slope for negative values LeakyRelu. */
export const relu: Converter = (ctx: LayerContext) => {
  ctx.arity(1, 1);
  ctx.top(leaky(ctx, ctx.input(), ctx.params.reluParam?.negativeSlope ?? 0));
};

/** RReLU: outside of training the mean slope. */
export const rrelu: Converter = (ctx: LayerContext) => {
  ctx.arity(1, 1);
  const p = ctx.params.rreluParam;
  const [lower, upper] = [p?.lower ?? 1 / 8, p?.upper ?? 1 / 3];
  ctx.top(leaky(ctx, ctx.input(), Math.fround((lower + upper) / 2)));
};

/** CReLU: relu(x) and relu(-x) side by side. */
export const crelu: Converter = (ctx: LayerContext) => {
  ctx.arity(1, 1);
  const x = ctx.input();
  const p = ctx.params.creluParam;
  const axis = ctx.axis(p?.axis ?? 1, x.shape.length);
  const slope = p?.negativeSlope ?? 0;
  const positive = leaky(ctx, x, slope, "positive");
  const negated = ctx.op("Neg", [x], x.shape, {}, "neg");
  const negative = leaky(ctx, negated, slope, "negative");
  const shape = x.shape.map((d, i) => i === axis ? 2 * d : d);
  ctx.top(ctx.op("Concat", [positive, negative], shape, { axis: attr.int(axis) }));
};

/** ReLU6, and its forks with another bound. */
export const relu6: Converter = (ctx: LayerContext) => {
  ctx.arity(1, 1);
  const x = ctx.input();
  const most = ctx.params.relu6Param?.threshold ?? 6;
  ctx.top(ctx.op("Clip", [x, ctx.scalar("min", 0), ctx.scalar("max", most)], x.shape));
};

/** Clip to min .. max, both of which must be given. */
export const clip: Converter = (ctx: LayerContext) => {
  ctx.arity(1, 1);
  const x = ctx.input();
  const p = ctx.params.clipParam;
  const given = p !== undefined && isFieldSet(p, ClipParameterSchema.field.min) &&
    isFieldSet(p, ClipParameterSchema.field.max);
  if (!given) ctx.fail("clip_param must give min and max", "clip_param");
  const { min, max } = p;
  ctx.top(ctx.op("Clip", [x, ctx.scalar("min", min), ctx.scalar("max", max)], x.shape));
};

/** Swish: x * sigmoid(beta x). */
export const swish: Converter = (ctx: LayerContext) => {
  ctx.arity(1, 1);
  const x = ctx.input();
  const beta = ctx.params.swishParam?.beta ?? 1;
  const scaled = linear(ctx, x, beta, 0, false);
  const gate = ctx.op("Sigmoid", [scaled], x.shape, {}, "sigmoid");
  ctx.top(ctx.op("Mul", [x, gate], x.shape));
};

/** ELU. */
export const elu: Converter = (ctx: LayerContext) => {
  ctx.arity(1, 1);
  const x = ctx.input();
  const alpha = ctx.params.eluParam?.alpha ?? 1;
  ctx.top(ctx.op("Elu", [x], x.shape, { alpha: attr.float(alpha) }));
};

/** PReLU: a slope per channel (axis 1), or one for all. */
export const prelu: Converter = (ctx: LayerContext) => {
  ctx.arity(1, 1);
  const x = ctx.input();
  const p = ctx.params.preluParam;
  const rank = x.shape.length;
  if (rank < 2) ctx.fail(`its input has ${rank} axes, but needs at least 2`, "bottom");
  const shared = p?.channelShared ?? false;
  const [slope] = ctx.weights([{
    what: "slope",
    shape: shared ? [] : [x.shape[1]!],
    filler: p?.filler,
  }]);
  const shape = shared ? [1] : [x.shape[1]!, ...new Array<number>(rank - 2).fill(1)];
  ctx.top(ctx.op("PRelu", [x, ctx.constant("slope", { ...slope!, shape })], x.shape));
};

/** `scale * x + shift`, leaving out what does nothing. `part` names the last step. */
function linear(ctx: LayerContext, x: Value, scale: number, shift: number, last: boolean): Value {
  let y = x;
  if (scale !== 1) {
    const only = last && shift === 0;
    y = ctx.op("Mul", [y, ctx.scalar("scale", scale)], x.shape, {}, only ? undefined : "mul");
  }
  if (shift !== 0) {
    y = ctx.op("Add", [y, ctx.scalar("shift", shift)], x.shape, {}, last ? undefined : "add");
  }
  return y;
}

/** Power: (shift + scale x)^power. */
export const power: Converter = (ctx: LayerContext) => {
  ctx.arity(1, 1);
  const x = ctx.input();
  const { power, scale, shift } = ctx.params.powerParam ?? { power: 1, scale: 1, shift: 0 };
  if (power * scale === 0) {
    // Caffe takes the constant and does not look at x, which may be infinite.
    const value = power === 0 ? 1 : Math.fround(Math.pow(shift, power));
    if (!Number.isFinite(value)) ctx.fail(`its result ${value} is not finite`, "power_param");
    const shape = ctx.ints("shape", x.shape);
    ctx.top(ctx.op("Expand", [ctx.constant("value", f32([1], [value])), shape], x.shape));
    return;
  }
  const inner = linear(ctx, x, scale, shift, power === 1);
  ctx.top(
    power === 1 ? inner : ctx.op("Pow", [inner, ctx.scalar("power", power)], x.shape),
  );
};

/** Exp: base^(shift + scale x), base e when it is -1. */
export const exp: Converter = (ctx: LayerContext) => {
  ctx.arity(1, 1);
  const x = ctx.input();
  const { base, scale, shift } = ctx.params.expParam ?? { base: -1, scale: 1, shift: 0 };
  const log = logOf(ctx, base);
  const inner = linear(ctx, x, Math.fround(log * scale), Math.fround(log * shift), false);
  ctx.top(ctx.op("Exp", [inner], x.shape));
};

/** Log: log_base(shift + scale x), base e when it is -1. */
export const log: Converter = (ctx: LayerContext) => {
  ctx.arity(1, 1);
  const x = ctx.input();
  const { base, scale, shift } = ctx.params.logParam ?? { base: -1, scale: 1, shift: 0 };
  const factor = Math.fround(1 / logOf(ctx, base));
  const inner = linear(ctx, x, scale, shift, false);
  if (factor === 1) {
    ctx.top(ctx.op("Log", [inner], x.shape));
    return;
  }
  const y = ctx.op("Log", [inner], x.shape, {}, "log");
  ctx.top(ctx.op("Mul", [y, ctx.scalar("factor", factor)], x.shape));
};

function logOf(ctx: LayerContext, base: number): number {
  if (base === -1) return 1;
  if (base <= 0 || base === 1) ctx.fail("base must be greater than 0, not 1, or -1 for e", "base");
  return Math.log(base);
}

/** Threshold: 1 where x is greater than the threshold, else 0. */
export const threshold: Converter = (ctx: LayerContext) => {
  ctx.arity(1, 1);
  const x = ctx.input();
  const bound = ctx.scalar("threshold", ctx.params.thresholdParam?.threshold ?? 0);
  const above = ctx.op("Greater", [x, bound], x.shape, {}, "greater", "bool");
  ctx.top(ctx.op("Cast", [above], x.shape, { to: attr.int(1) }));
};

/** Softmax along an axis, channels by default. */
export const softmax: Converter = (ctx: LayerContext) => {
  ctx.arity(1, 1);
  const x = ctx.input();
  const axis = ctx.axis(ctx.params.softmaxParam?.axis ?? 1, x.shape.length);
  ctx.top(ctx.op("Softmax", [x], x.shape, { axis: attr.int(axis) }));
};

/** Dropout does nothing at inference, but for forks that scale there instead of in training. */
export const dropout: Converter = (ctx: LayerContext) => {
  ctx.arity(1, 1);
  const p = ctx.params.dropoutParam;
  const x = ctx.input();
  if (p === undefined || p.scaleTrain) {
    ctx.top(x);
    return;
  }
  const keep = ctx.scalar("keep", Math.fround(1 - p.dropoutRatio));
  ctx.top(ctx.op("Mul", [x, keep], x.shape));
};
