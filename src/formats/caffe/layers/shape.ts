/**
 * Layers that move data without computing: Concat, Slice, Split, Flatten, Reshape, Permute, Crop, Tile.
 *
 * @module
 */

import { isFieldSet } from "../../../deps.ts";
import { attr } from "../../../ir/graph.ts";
import { elementCount, shapeText } from "../../../ir/tensor.ts";
import type { Value } from "../build.ts";
import type { Converter, LayerContext } from "../context.ts";
import { ConcatParameterSchema, SliceParameterSchema } from "../gen/caffe_pb.ts";

/** Concat along `axis`, or `concat_dim` as it was called. */
export const concat: Converter = (ctx: LayerContext) => {
  ctx.arity([1, Infinity], 1);
  const p = ctx.params.concatParam;
  const old = p !== undefined && isFieldSet(p, ConcatParameterSchema.field.concatDim);
  if (old && isFieldSet(p, ConcatParameterSchema.field.axis)) {
    ctx.fail("give axis or concat_dim, not both", "concat_dim");
  }
  const first = ctx.input();
  const axis = old
    ? ctx.axis(p.concatDim, first.shape.length, "concat_dim")
    : ctx.axis(p?.axis ?? 1, first.shape.length);
  let size = 0;
  for (const [i, v] of ctx.inputs.entries()) {
    const same = v.shape.length === first.shape.length &&
      v.shape.every((d, k) => k === axis || d === first.shape[k]);
    if (!same) {
      ctx.fail(
        `bottom ${i} is ${shapeText(v.shape)} and does not fit ${shapeText(first.shape)} ` +
          `along axis ${axis}`,
        "bottom",
      );
    }
    size += v.shape[axis]!;
  }
  if (ctx.inputs.length === 1) {
    ctx.top(first);
    return;
  }
  const shape = first.shape.map((d, k) => k === axis ? size : d);
  ctx.top(ctx.op("Concat", ctx.inputs, shape, { axis: attr.int(axis) }));
};

/** Slice: the parts of one axis between slice points, or equal parts. */
export const slice: Converter = (ctx: LayerContext) => {
  ctx.arity(1, [1, Infinity]);
  const p = ctx.params.sliceParam;
  const old = p !== undefined && isFieldSet(p, SliceParameterSchema.field.sliceDim);
  if (old && isFieldSet(p, SliceParameterSchema.field.axis)) {
    ctx.fail("give axis or slice_dim, not both", "slice_dim");
  }
  const x = ctx.input();
  const axis = old
    ? ctx.axis(p.sliceDim, x.shape.length, "slice_dim")
    : ctx.axis(p?.axis ?? 1, x.shape.length);
  const size = x.shape[axis]!;
  const tops = ctx.spec.tops.length;
  const points = p?.slicePoint ?? [];
  let sizes: number[];
  if (points.length > 0) {
    if (points.length !== tops - 1) {
      ctx.fail(
        `${points.length} slice_point make ${points.length + 1} tops, not ${tops}`,
        "slice_point",
      );
    }
    const ends = [0, ...points, size];
    sizes = ends.slice(1).map((e, i) => e - ends[i]!);
    if (sizes.some((s) => s < 1)) {
      ctx.fail(
        `slice_point must rise between 0 and ${size}, the size of axis ${axis}`,
        "slice_point",
      );
    }
  } else {
    if (size % tops !== 0) {
      ctx.fail(`axis ${axis} of ${size} does not divide into ${tops} tops`, "top");
    }
    sizes = new Array<number>(tops).fill(size / tops);
  }
  if (tops === 1) {
    ctx.top(x);
    return;
  }
  const outputs = sizes.map((s) => ({
    dtype: x.dtype,
    shape: x.shape.map((d, k) => k === axis ? s : d),
  }));
  const parts = ctx.ops("Split", [x, ctx.ints("split", sizes)], outputs, { axis: attr.int(axis) });
  parts.forEach((v, i) => ctx.top(v, i));
};

/** Split: the same blob under several names. */
export const split: Converter = (ctx: LayerContext) => {
  ctx.arity(1, [1, Infinity]);
  ctx.spec.tops.forEach((_, i) => ctx.top(ctx.input(), i));
};

/** Silence: its bottoms are no outputs of the net; it makes nothing. */
export const silence: Converter = (ctx: LayerContext) => {
  ctx.arity([1, Infinity], 0);
};

/** A Reshape that carries the layer's name; nothing when the shape stays. */
function reshaped(ctx: LayerContext, x: Value, shape: readonly number[]): void {
  ctx.check(shape);
  ctx.top(ctx.reshape(x, shape));
}

/** Flatten the axes from `axis` to `end_axis` into one. */
export const flatten: Converter = (ctx: LayerContext) => {
  ctx.arity(1, 1);
  const p = ctx.params.flattenParam;
  const x = ctx.input();
  const rank = x.shape.length;
  const from = ctx.axis(p?.axis ?? 1, rank);
  const to = ctx.axis(p?.endAxis ?? -1, rank, "end_axis");
  if (to < from) ctx.fail("end_axis is before axis", "end_axis");
  const shape = [
    ...x.shape.slice(0, from),
    elementCount(x.shape.slice(from, to + 1)),
    ...x.shape.slice(to + 1),
  ];
  if (from === 1 && to === rank - 1 && rank > 2) {
    ctx.top(ctx.op("Flatten", [x], shape, { axis: attr.int(1) }));
    return;
  }
  reshaped(ctx, x, shape);
};

/** Reshape of some axes: 0 copies a dimension, one -1 takes what is left. */
export const reshape: Converter = (ctx: LayerContext) => {
  ctx.arity(1, 1);
  const p = ctx.params.reshapeParam;
  const x = ctx.input();
  const rank = x.shape.length;
  const axis = p?.axis ?? 0;
  const from = axis < 0 ? rank + axis + 1 : axis;
  if (from < 0 || from > rank) ctx.fail(`axis ${axis} is outside of ${rank} axes`, "axis");
  const count = p?.numAxes ?? -1;
  if (count < -1) ctx.fail("num_axes must be -1, 0 or positive", "num_axes");
  const to = count === -1 ? rank : from + count;
  if (to > rank) ctx.fail(`axis ${axis} and num_axes ${count} exceed ${rank} axes`, "num_axes");
  const dims = p?.shape?.dim ?? [];
  const middle = dims.map((d, i) => {
    if (d < -1) ctx.fail(`the dimension ${d} is not possible`, "dim");
    if (d !== 0) return d;
    const copied = x.shape[from + i];
    if (copied === undefined) ctx.fail(`there is no axis ${from + i} to copy`, "dim");
    return copied;
  });
  const open = middle.indexOf(-1);
  if (open !== middle.lastIndexOf(-1)) ctx.fail("only one dimension may be -1", "dim");
  const shape = [...x.shape.slice(0, from), ...middle, ...x.shape.slice(to)];
  const total = elementCount(x.shape);
  if (open >= 0) {
    const rest = -elementCount(shape);
    if (rest < 1 || total % rest !== 0) {
      ctx.fail(`${total} elements do not divide into ${shapeText(shape)}`, "dim");
    }
    shape[from + open] = total / rest;
  }
  if (elementCount(shape) !== total) {
    ctx.fail(
      `${shapeText(x.shape)} has ${total} elements, ${shapeText(shape)} ${elementCount(shape)}`,
      "reshape_param",
    );
  }
  reshaped(ctx, x, shape);
};

/** Permute (SSD): Transpose; axes that `order` leaves out follow in their own order. */
export const permute: Converter = (ctx: LayerContext) => {
  ctx.arity(1, 1);
  const x = ctx.input();
  const rank = x.shape.length;
  const perm: number[] = [];
  for (const axis of ctx.params.permuteParam?.order ?? []) {
    if (axis >= rank) ctx.fail(`order ${axis} is outside of the ${rank} axes`, "order");
    if (perm.includes(axis)) ctx.fail(`order ${axis} is given twice`, "order");
    perm.push(axis);
  }
  for (let i = 0; i < rank; i++) if (!perm.includes(i)) perm.push(i);
  if (perm.every((a, i) => a === i)) {
    ctx.top(x);
    return;
  }
  ctx.top(ctx.op("Transpose", [x], perm.map((a) => x.shape[a]!), { perm: attr.ints(perm) }));
};

/** Crop to the size of the second bottom, from `axis` on. */
export const crop: Converter = (ctx: LayerContext) => {
  ctx.arity(2, 1);
  const p = ctx.params.cropParam;
  const [x, like] = [ctx.input(0), ctx.input(1)];
  const rank = x.shape.length;
  const from = ctx.axis(p?.axis ?? 2, rank);
  const offsets = p?.offset ?? [];
  if (offsets.length > 1 && offsets.length !== rank - from) {
    ctx.fail(`it has ${offsets.length} offset for ${rank - from} cropped axes`, "offset");
  }
  if (like.shape.length < rank) ctx.fail("its bottoms have different numbers of axes", "bottom");
  const axes: number[] = [];
  const starts: number[] = [];
  const ends: number[] = [];
  const shape = [...x.shape];
  for (let i = from; i < rank; i++) {
    const offset = offsets[offsets.length === 1 ? 0 : i - from] ?? 0;
    const size = like.shape[i]!;
    if (offset + size > x.shape[i]!) {
      ctx.fail(
        `axis ${i}: offset ${offset} and size ${size} exceed the input's ${x.shape[i]}`,
        "offset",
      );
    }
    if (offset === 0 && size === x.shape[i]) continue;
    axes.push(i);
    starts.push(offset);
    ends.push(offset + size);
    shape[i] = size;
  }
  if (axes.length === 0) {
    ctx.top(x);
    return;
  }
  const [s, e, a] = [ctx.ints("starts", starts), ctx.ints("ends", ends), ctx.ints("axes", axes)];
  ctx.top(ctx.op("Slice", [x, s, e, a], shape, {}, undefined, x.dtype));
};

/** Tile: copies along one axis. */
export const tile: Converter = (ctx: LayerContext) => {
  ctx.arity(1, 1);
  const p = ctx.params.tileParam;
  const x = ctx.input();
  const axis = ctx.axis(p?.axis ?? 1, x.shape.length);
  const tiles = p?.tiles ?? 0;
  if (tiles < 1) ctx.fail("tiles must be at least 1", "tiles");
  const repeats = x.shape.map((_, i) => i === axis ? tiles : 1);
  const shape = x.shape.map((d, i) => d * repeats[i]!);
  ctx.top(ctx.op("Tile", [x, ctx.ints("repeats", repeats)], shape));
};
