/**
 * BatchNorm, LRN, MVN and SSD's Normalize.
 *
 * @module
 */

import { attr } from "../../../ir/graph.ts";
import { elementCount, f32 } from "../../../ir/tensor.ts";
import type { Value } from "../build.ts";
import type { Converter, LayerContext } from "../context.ts";
import { isFieldSet } from "../../../deps.ts";
import { BatchNormParameterSchema, LRNParameter_NormRegion } from "../gen/caffe_pb.ts";

/** BatchNorm: the stored sums divided by the stored factor; scale and bias are a layer of their own. */
export const batchNorm: Converter = (ctx: LayerContext) => {
  ctx.arity(1, 1);
  const x = ctx.input();
  const p = ctx.params.batchNormParam;
  if (
    p !== undefined && !p.useGlobalStats &&
    isFieldSet(p, BatchNormParameterSchema.field.useGlobalStats)
  ) {
    ctx.fail(
      "use_global_stats: false normalizes with the statistics of the batch, which is for training",
      "use_global_stats",
      "unsupported",
      "Remove it or set it to true.",
    );
  }
  if (x.shape.length < 2) {
    ctx.fail(`its input has ${x.shape.length} axes, but needs at least 2`, "bottom");
  }
  const channels = x.shape[1]!;
  const [mean, variance, factor] = ctx.weights([
    { what: "mean", shape: [channels] },
    { what: "variance", shape: [channels] },
    { what: "scale factor", shape: [1] },
  ]);
  const f = (factor!.data as Float32Array)[0]!;
  const by = f === 0 ? 0 : 1 / f;
  const scaled = (t: ArrayLike<number>): Float32Array => Float32Array.from(t, (v) => v * by);
  const constant = (part: string, data: Float32Array): Value =>
    ctx.constant(part, f32([channels], data));
  ctx.top(ctx.op(
    "BatchNormalization",
    [
      x,
      constant("scale", new Float32Array(channels).fill(1)),
      constant("bias", new Float32Array(channels)),
      constant("mean", scaled(mean!.data as Float32Array)),
      constant("var", scaled(variance!.data as Float32Array)),
    ],
    x.shape,
    { epsilon: attr.float(p?.eps ?? Math.fround(1e-5)) },
  ));
};

/** LRN across channels, or within one as Caffe composes it: x (1 + alpha avg(x^2))^-beta. */
export const lrn: Converter = (ctx: LayerContext) => {
  ctx.arity(1, 1);
  const x = ctx.input();
  const p = ctx.params.lrnParam;
  const size = p?.localSize ?? 5;
  const [alpha, beta, k] = [p?.alpha ?? 1, p?.beta ?? 0.75, p?.k ?? 1];
  if (x.shape.length !== 4) ctx.fail(`its input has ${x.shape.length} axes, but needs 4`, "bottom");
  if (size < 1 || size % 2 === 0) ctx.fail("local_size must be odd", "local_size");
  if ((p?.normRegion ?? 0) === LRNParameter_NormRegion.ACROSS_CHANNELS) {
    ctx.top(ctx.op("LRN", [x], x.shape, {
      size: attr.int(size),
      alpha: attr.float(alpha),
      beta: attr.float(beta),
      bias: attr.float(k),
    }));
    return;
  }
  const pad = (size - 1) / 2;
  const square = ctx.op("Mul", [x, x], x.shape, {}, "square");
  // The average counts the padding, as pooling does; k has no part in this form.
  const mean = ctx.op("AveragePool", [square], x.shape, {
    kernel_shape: attr.ints([size, size]),
    strides: attr.ints([1, 1]),
    pads: attr.ints([pad, pad, pad, pad]),
    count_include_pad: attr.int(1),
  }, "pool");
  const scaled = ctx.op("Mul", [mean, ctx.scalar("alpha", alpha)], x.shape, {}, "mul");
  const shifted = ctx.op("Add", [scaled, ctx.scalar("one", 1)], x.shape, {}, "add");
  const factor = ctx.op("Pow", [shifted, ctx.scalar("power", -beta)], x.shape, {}, "pow");
  ctx.top(ctx.op("Mul", [x, factor], x.shape));
};

/** MVN: (x - mean) / (sqrt(variance) + eps), per channel or per sample. */
export const mvn: Converter = (ctx: LayerContext) => {
  ctx.arity(1, 1);
  const x = ctx.input();
  const p = ctx.params.mvnParam;
  const from = p?.acrossChannels ?? false ? 1 : 2;
  const rank = x.shape.length;
  if (rank <= from) ctx.fail(`its input has ${rank} axes, but needs more than ${from}`, "bottom");
  // One axis to reduce: what every runtime and the boards' CPU kernels take.
  const rows = elementCount(x.shape.slice(0, from));
  const flat = [rows, elementCount(x.shape.slice(from))];
  const one = [rows, 1];
  const mean = (v: Value, part: string): Value =>
    ctx.op("ReduceMean", [v], one, { axes: attr.ints([1]), keepdims: attr.int(1) }, part);
  const wide = ctx.reshape(x, flat, "flatten");
  const normalize = p?.normalizeVariance ?? true;
  const average = mean(wide, "mean");
  const centred = ctx.op("Sub", [wide, average], flat, {}, normalize ? "sub" : undefined);
  if (!normalize) {
    ctx.top(ctx.reshape(centred, x.shape, "reshape"));
    return;
  }
  const variance = mean(ctx.op("Mul", [centred, centred], flat, {}, "square"), "var");
  const deviation = ctx.op("Sqrt", [variance], one, {}, "sqrt");
  const eps = ctx.scalar("eps", p?.eps ?? Math.fround(1e-9));
  const divisor = ctx.op("Add", [deviation, eps], one, {}, "add");
  ctx.top(ctx.reshape(ctx.op("Div", [centred, divisor], flat), x.shape, "reshape"));
};

/** Normalize (SSD): scale x / sqrt(sum of x^2 + eps), over channels or over the whole sample. */
export const normalize: Converter = (ctx: LayerContext) => {
  ctx.arity(1, 1);
  const x = ctx.input();
  const p = ctx.params.normParam;
  const rank = x.shape.length;
  if (rank < 2) ctx.fail(`its input has ${rank} axes, but needs at least 2`, "bottom");
  const shared = p?.channelShared ?? true;
  const [scale] = ctx.weights([{
    what: "scale",
    shape: shared ? [] : [x.shape[1]!],
    filler: p?.scaleFiller,
  }]);
  const square = ctx.op("Mul", [x, x], x.shape, {}, "square");
  // One axis to reduce, as in MVN.
  const spatial = p?.acrossSpatial ?? true;
  const n = x.shape[0]!;
  const summed = spatial
    ? ctx.reshape(square, [n, elementCount(x.shape.slice(1))], "flatten")
    : square;
  const kept = summed.shape.map((d, i) => i === 1 ? 1 : d);
  const axes = ctx.ints("axes", [1]);
  let sum = ctx.op("ReduceSum", [summed, axes], kept, { keepdims: attr.int(1) }, "sum");
  if (spatial) sum = ctx.reshape(sum, [n, ...new Array<number>(rank - 1).fill(1)], "reshape");
  const eps = ctx.scalar("eps", p?.eps ?? Math.fround(1e-10));
  const shifted = ctx.op("Add", [sum, eps], sum.shape, {}, "add");
  const norm = ctx.op("Sqrt", [shifted], sum.shape, {}, "sqrt");
  const unit = ctx.op("Div", [x, norm], x.shape, {}, "div");
  const shape = shared ? [] : [1, x.shape[1]!, ...new Array<number>(rank - 2).fill(1)];
  ctx.top(ctx.op("Mul", [unit, ctx.constant("scale", { ...scale!, shape })], x.shape));
};
