/**
 * Pooling, SPP and the unpooling layers that take a pooling mask.
 *
 * Caffe rounds the number of windows up, divides an average by the part of the window that lies in the
 * input padded by `pad` on both sides, and drops a last window that would start in the padding. ONNX's
 * `ceil_mode` leaves some of that to the runtime, so all windows are spelled out with explicit pads.
 *
 * @module
 */

import { type DescField, isFieldSet } from "../../../deps.ts";
import { type Attr, attr } from "../../../ir/graph.ts";
import { elementCount, sameShape, tensor } from "../../../ir/tensor.ts";
import type { Value } from "../build.ts";
import type { Converter, LayerContext } from "../context.ts";
import {
  PoolingParameter_RoundMode,
  PoolingParameterSchema,
  PoolMethod,
  UpsampleParameterSchema,
} from "../gen/caffe_pb.ts";

const F = PoolingParameterSchema.field;

/** The windows along one axis. */
interface Windows {
  readonly size: number;
  readonly kernel: number;
  readonly stride: number;
  readonly pad: number;
  /** Number of windows. */
  readonly out: number;
}

/**
 * The windows that Caffe makes along one axis; `ceil` is its default. `clip` (padding on either axis)
 * drops a last window that starts behind the input and its padding.
 */
function windowsOf(
  size: number,
  kernel: number,
  stride: number,
  pad: number,
  ceil = true,
  clip = pad > 0,
): Windows {
  const steps = (size + 2 * pad - kernel) / stride;
  let out = (ceil ? Math.ceil(steps) : Math.floor(steps)) + 1;
  if (clip && (out - 1) * stride >= size + pad) out--;
  return { size, kernel, stride, pad, out };
}

/** Padding behind the input that the windows reach, at least the symmetric one when that is exact. */
function endPad(w: Windows): number {
  const exact = Math.floor((w.size + 2 * w.pad - w.kernel) / w.stride) + 1 === w.out;
  return exact ? w.pad : (w.out - 1) * w.stride + w.kernel - w.pad - w.size;
}

/** Emits a pooling over the last two axes. */
function pool(
  ctx: LayerContext,
  x: Value,
  method: PoolMethod,
  h: Windows,
  w: Windows,
  part?: string,
  mask = false,
): Value {
  const [n, c] = [x.shape[0]!, x.shape[1]!];
  const shape = [n, c, h.out, w.out];
  for (const a of [h, w]) {
    if (a.out < 1) ctx.fail(`its kernel of ${a.kernel} does not fit an input of ${a.size}`);
    if ((a.out - 1) * a.stride - a.pad >= a.size) {
      ctx.fail(
        `its last window starts behind the end of an input of ${a.size}: Caffe's result there is undefined`,
        "stride",
        "unsupported",
        "Make the stride at most the kernel size.",
      );
    }
  }
  const common = {
    kernel_shape: attr.ints([h.kernel, w.kernel]),
    strides: attr.ints([h.stride, w.stride]),
  };
  const ends = [endPad(h), endPad(w)] as const;
  const pads = attr.ints([h.pad, w.pad, ...ends]);
  if (mask) return withMask(ctx, x, shape, { ...common, pads });
  if (method === PoolMethod.MAX) {
    return ctx.op("MaxPool", [x], shape, { ...common, pads }, part);
  }
  const over = [h, w].some((a, i) => ends[i]! > a.pad);
  if (!over) {
    const include = attr.int(h.pad > 0 || w.pad > 0 ? 1 : 0);
    return ctx.op("AveragePool", [x], shape, { ...common, pads, count_include_pad: include }, part);
  }
  // The part of the last window behind the padded input does not count, the padding does: pad
  // first, then leave the rest out of the count.
  let padded = x;
  if (h.pad > 0 || w.pad > 0) {
    const amounts = ctx.ints(part === undefined ? "pads" : `${part}/pads`, [
      ...[0, 0, h.pad, w.pad],
      ...[0, 0, h.pad, w.pad],
    ]);
    const size = [n, c, h.size + 2 * h.pad, w.size + 2 * w.pad];
    padded = ctx.op("Pad", [x, amounts], size, {}, part === undefined ? "pad" : `${part}/pad`);
  }
  const after = attr.ints([0, 0, ends[0] - h.pad, ends[1] - w.pad]);
  return ctx.op(
    "AveragePool",
    [padded],
    shape,
    { ...common, pads: after, count_include_pad: attr.int(0) },
    part,
  );
}

/** Pooling: MAX (with a mask as second top) and AVE. */
export const pooling: Converter = (ctx: LayerContext) => {
  ctx.arity(1, [1, 2]);
  const p = ctx.params.poolingParam;
  if (p === undefined) ctx.fail("pooling_param is missing");
  const x = ctx.input();
  if (x.shape.length !== 4) ctx.fail(`its input has ${x.shape.length} axes, but needs 4`, "bottom");
  if (p.pool === PoolMethod.STOCHASTIC) {
    ctx.fail("STOCHASTIC pooling is not supported", "pool", "unsupported");
  }
  const mask = ctx.spec.tops.length === 2;
  if (mask && p.pool !== PoolMethod.MAX) ctx.fail("only MAX pooling has a mask", "top");
  const set = (...fields: DescField[]): boolean => fields.some((f) => isFieldSet(p, f));
  const kernelGiven = p.kernelSize.length > 0 || set(F.kernelH, F.kernelW);
  const [H, W] = [x.shape[2]!, x.shape[3]!];
  if (p.globalPooling && kernelGiven) {
    ctx.fail("with global_pooling the kernel is the input: remove kernel_size", "global_pooling");
  }
  if (!p.globalPooling && !kernelGiven) ctx.fail("kernel_size is missing", "pooling_param");
  const pair = (
    field: string,
    list: readonly number[],
    hw: readonly [number, number],
    given: boolean,
    fallback: number,
  ): readonly [number, number] => {
    if (list.length > 0 && given) {
      ctx.fail(`give ${field} or ${field.split("_")[0]}_h, not both`, field);
    }
    if (list.length > 2) ctx.fail(`${field} is given ${list.length} times for 2 axes`, field);
    if (given) return hw;
    const first = list[0] ?? fallback;
    return [first, list[1] ?? first];
  };
  const [kh, kw] = p.globalPooling
    ? [H, W]
    : pair("kernel_size", p.kernelSize, [p.kernelH, p.kernelW], set(F.kernelH, F.kernelW), 0);
  const [sh, sw] = pair("stride", p.stride, [p.strideH, p.strideW], set(F.strideH, F.strideW), 1);
  const [ph, pw] = pair("pad", p.pad, [p.padH, p.padW], set(F.padH, F.padW), 0);
  if (kh < 1 || kw < 1) ctx.fail("the kernel must be at least 1", "kernel_size");
  if (sh < 1 || sw < 1) ctx.fail("stride must be at least 1", "stride");
  if (p.globalPooling) {
    if (ph !== 0 || pw !== 0 || sh !== 1 || sw !== 1) {
      ctx.fail("with global_pooling pad is 0 and stride 1", "global_pooling");
    }
    if (!mask) {
      const op = p.pool === PoolMethod.MAX ? "GlobalMaxPool" : "GlobalAveragePool";
      ctx.top(ctx.op(op, [x], [x.shape[0]!, x.shape[1]!, 1, 1]));
      return;
    }
  }
  if (ph >= kh || pw >= kw) ctx.fail("pad must be smaller than the kernel", "pad");
  const ceil = p.roundMode === PoolingParameter_RoundMode.CEIL && p.ceilMode;
  const h = windowsOf(H, kh, sh, ph, ceil, ph > 0 || pw > 0);
  const w = windowsOf(W, kw, sw, pw, ceil, ph > 0 || pw > 0);
  ctx.top(pool(ctx, x, p.pool, h, w, undefined, mask));
};

/**
 * Caffe's mask holds the index of the maximum within its plane as a float; ONNX's counts through the
 * whole tensor. The original is kept for the unpooling layer that reads the mask.
 */
function withMask(
  ctx: LayerContext,
  x: Value,
  shape: readonly number[],
  attrs: Readonly<Record<string, Attr>>,
): Value {
  const types = [{ dtype: "float32", shape }, { dtype: "int64", shape }] as const;
  const [max, indices] = ctx.ops("MaxPool", [x], types, attrs) as [Value, Value];
  const plane = x.shape[2]! * x.shape[3]!;
  const starts = planeStarts(ctx, x, plane);
  const within = ctx.op("Sub", [indices, starts], shape, {}, "mask/index", "int64");
  const mask = ctx.op("Cast", [within], shape, { to: attr.int(1) }, "mask");
  ctx.masks.set(mask.id, { indices, plane });
  ctx.top(mask, 1);
  return max;
}

/** Where each plane of `x` starts in a tensor with planes of this size: N x C x 1 x 1. */
function planeStarts(ctx: LayerContext, x: Value, plane: number): Value {
  const [n, c] = [x.shape[0]!, x.shape[1]!];
  ctx.reserve(n * c);
  const starts = BigInt64Array.from({ length: n * c }, (_, i) => BigInt(i) * BigInt(plane));
  return ctx.constant("starts", tensor("int64", [n, c, 1, 1], starts));
}

/** SPP: the same pooling at 1, 2, 4, ... bins per axis, flattened and concatenated. */
export const spp: Converter = (ctx: LayerContext) => {
  ctx.arity(1, 1);
  const p = ctx.params.sppParam;
  if (p === undefined || p.pyramidHeight < 1) ctx.fail("pyramid_height is missing", "spp_param");
  if (p.pyramidHeight > 7) ctx.fail("pyramid_height is at most 7", "pyramid_height");
  if (p.pool === PoolMethod.STOCHASTIC) {
    ctx.fail("STOCHASTIC pooling is not supported", "pool", "unsupported");
  }
  const x = ctx.input();
  if (x.shape.length !== 4) ctx.fail(`its input has ${x.shape.length} axes, but needs 4`, "bottom");
  const bins = (size: number, level: number): Windows => {
    const n = 2 ** level;
    const kernel = Math.ceil(size / n);
    const pad = Math.floor((kernel * n - size + 1) / 2);
    if (pad >= kernel) {
      ctx.fail(`an input of ${size} is too small for ${n} bins`, "pyramid_height");
    }
    return windowsOf(size, kernel, kernel, pad);
  };
  const levels = Array.from({ length: p.pyramidHeight }, (_, level) => {
    const [h, w] = [bins(x.shape[2]!, level), bins(x.shape[3]!, level)];
    const y = pool(ctx, x, p.pool, h, w, p.pyramidHeight === 1 ? undefined : `pool${level}`);
    if (p.pyramidHeight === 1) return y;
    const flat = [y.shape[0]!, elementCount(y.shape.slice(1))];
    return ctx.op("Flatten", [y], flat, { axis: attr.int(1) }, `flatten${level}`);
  });
  if (levels.length === 1) {
    ctx.top(levels[0]!);
    return;
  }
  const width = levels.reduce((n, v) => n + v.shape[1]!, 0);
  ctx.top(ctx.op("Concat", levels, [x.shape[0]!, width], { axis: attr.int(1) }));
};

/** SegNet's Upsample and MaxUnpool: each value goes where the pooling mask says. */
export const unpooling: Converter = (ctx: LayerContext) => {
  ctx.arity(2, 1);
  const { upsampleParam, unpoolingParam, maxUnpoolParam } = ctx.params;
  const p = upsampleParam ?? unpoolingParam ?? maxUnpoolParam;
  const [x, mask] = [ctx.input(0), ctx.input(1)];
  if (x.shape.length !== 4 || !sameShape(x.shape, mask.shape)) {
    ctx.fail("its bottoms must be a 4-D blob and a pooling mask of the same shape", "bottom");
  }
  const size = [0, 1].map((i) => {
    const field = i === 0 ? "upsampleH" : "upsampleW";
    if (p === undefined) return x.shape[2 + i]! * 2;
    const set = UpsampleParameterSchema.field;
    if (isFieldSet(p, set[field])) return p[field];
    const scaled = isFieldSet(p, set[i === 0 ? "scaleH" : "scaleW"])
      ? p[i === 0 ? "scaleH" : "scaleW"]
      : isFieldSet(p, set.stride)
      ? p.stride
      : p.scale;
    const whole = x.shape[2 + i]! * scaled - (p[i === 0 ? "padOutH" : "padOutW"] ? 1 : 0);
    // Unpooling undoes out = (in + 2 pad - kernel) / stride + 1.
    return isFieldSet(p, set.kernelSize)
      ? (x.shape[2 + i]! - 1) * scaled + p.kernelSize - 2 * p.pad
      : whole;
  });
  const shape = [x.shape[0]!, x.shape[1]!, size[0]!, size[1]!];
  if (!size.every(Number.isInteger)) ctx.fail("the scale must be a whole number", "scale");
  ctx.check(shape);
  const made = ctx.masks.get(mask.id);
  const plane = size[0]! * size[1]!;
  let at = made?.indices;
  if (at === undefined || made?.plane !== plane) {
    const local = ctx.op("Cast", [mask], x.shape, { to: attr.int(7) }, "index", "int64");
    const base = planeStarts(ctx, x, plane);
    at = ctx.op("Add", [local, base], x.shape, {}, "indices", "int64");
  }
  const to = ctx.ints("shape", shape);
  const ones = attr.ints([1, 1]);
  ctx.top(ctx.op("MaxUnpool", [x, at, to], shape, { kernel_shape: ones, strides: ones }));
};
