/**
 * ROIPooling and PSROIPooling: pooling inside of boxes that the net computes.
 *
 * @module
 */

import { attr } from "../../../ir/graph.ts";
import { elementCount, f32, type Tensor } from "../../../ir/tensor.ts";
import type { Value } from "../build.ts";
import type { Converter, LayerContext } from "../context.ts";

/** The boxes as `R x 5`: batch index, x1, y1, x2, y2. */
function boxes(ctx: LayerContext): Value {
  const rois = ctx.input(1);
  const [r, five, ...rest] = rois.shape;
  if (r === undefined || five !== 5 || rest.some((d) => d !== 1)) {
    ctx.fail(
      `its second bottom ${rois.shape.join("x")} is not Rx5 (index, x1, y1, x2, y2)`,
      "bottom",
    );
  }
  return ctx.reshape(rois, [r, 5], "rois");
}

function image(ctx: LayerContext): Value {
  ctx.arity(2, 1);
  const x = ctx.input(0);
  if (x.shape.length !== 4) ctx.fail(`its input has ${x.shape.length} axes, but needs 4`, "bottom");
  return x;
}

/** ROIPooling: the maximum in each bin of each box. */
export const roiPooling: Converter = (ctx: LayerContext) => {
  const x = image(ctx);
  const p = ctx.params.roiPoolingParam;
  if (p === undefined) ctx.fail("roi_pooling_param is missing");
  if (p.pooledH < 1) ctx.fail("pooled_h must be at least 1", "pooled_h");
  if (p.pooledW < 1) ctx.fail("pooled_w must be at least 1", "pooled_w");
  const rois = boxes(ctx);
  ctx.top(ctx.op("MaxRoiPool", [x, rois], [rois.shape[0]!, x.shape[1]!, p.pooledH, p.pooledW], {
    pooled_shape: attr.ints([p.pooledH, p.pooledW]),
    spatial_scale: attr.float(p.spatialScale),
  }));
};

/**
 * PSROIPooling (R-FCN): the mean in each bin of each box, each bin from channels of its own. A mean is
 * a product with weights that are 0 outside of the bin, so all bins are one MatMul.
 */
export const psroiPooling: Converter = (ctx: LayerContext) => {
  const x = image(ctx);
  const p = ctx.params.psroiPoolingParam;
  if (p === undefined) ctx.fail("psroi_pooling_param is missing");
  const g = p.groupSize;
  const dim = p.outputDim;
  if (g < 1 || g > 256) ctx.fail("group_size must be 1 to 256", "group_size");
  if (dim < 1) ctx.fail("output_dim must be at least 1", "output_dim");
  const [n, c, h, w] = x.shape as [number, number, number, number];
  if (c !== dim * g * g) {
    const want = `output_dim ${dim} and group_size ${g} need ${dim * g * g}`;
    ctx.fail(`its input has ${c} channels, but ${want}`);
  }
  const rois = boxes(ctx);
  const r = rois.shape[0]!;
  ctx.reserve(n + h + w);
  const column = { dtype: "float32", shape: [r, 1] } as const;
  const [batch, x1, y1, x2, y2] = ctx.ops(
    "Split",
    [rois, ctx.ints("split", [1, 1, 1, 1, 1])],
    [column, column, column, column, column],
    { axis: attr.int(1) },
    "box",
  ) as [Value, Value, Value, Value, Value];
  const rows = binWeights(ctx, {
    part: "y",
    from: y1,
    to: y2,
    size: h,
    g,
    r,
    scale: p.spatialScale,
  });
  const columns = binWeights(ctx, {
    ...{ part: "x", from: x1, to: x2, size: w, g, r },
    scale: p.spatialScale,
  });

  // 1 for the picture of the box, 0 for the others: max(0, 1 - |index - n|).
  const index = ctx.constant("pictures", counting([1, n]));
  const apart = ctx.op(
    "Abs",
    [ctx.op("Sub", [batch, index], [r, n], {}, "away")],
    [r, n],
    {},
    "far",
  );
  const near = ctx.op("Sub", [ctx.scalar("one", 1), apart], [r, n], {}, "near");
  const picture = unit(ctx, near, [r, n], "picture");

  const tall = ctx.op(
    "Mul",
    [ctx.reshape(rows, [r, g, 1, h], "rows"), ctx.reshape(picture, [r, 1, n, 1], "pick")],
    [r, g, n, h],
    {},
    "tall",
  );
  const weights = ctx.op(
    "Mul",
    [
      ctx.reshape(tall, [r, g, 1, n * h, 1], "down"),
      ctx.reshape(columns, [r, 1, g, 1, w], "across"),
    ],
    [r, g, g, n * h, w],
    {},
    "weights",
  );
  const turned = (
    v: Value,
    shape: readonly number[],
    perm: readonly number[],
    part: string,
  ): Value => {
    const from = ctx.reshape(v, shape, `${part}/in`);
    const to = perm.map((i) => shape[i]!);
    return ctx.op("Transpose", [from], to, { perm: attr.ints(perm) }, part);
  };
  const perBin = turned(weights, [r, g * g, n * h * w], [1, 2, 0], "bins");
  const maps = ctx.reshape(
    turned(x, [n, dim, g * g, h * w], [2, 1, 0, 3], "maps"),
    [g * g, dim, n * h * w],
    "flat",
  );
  const means = ctx.op("MatMul", [maps, perBin], [g * g, dim, r]);
  ctx.top(ctx.reshape(
    turned(means, [g * g, dim, r], [2, 1, 0], "out"),
    [r, dim, g, g],
    "grid",
  ));
};

/** 0, 1, 2, ... */
function counting(shape: readonly number[], first = 0): Tensor {
  return f32(shape, Array.from({ length: elementCount(shape) }, (_, i) => i + first));
}

/** Clipped to 0 .. 1. */
function unit(ctx: LayerContext, v: Value, shape: readonly number[], part: string): Value {
  const bounds = [ctx.scalar(`${part}/0`, 0), ctx.scalar(`${part}/1`, 1)];
  return ctx.op("Clip", [v, ...bounds], shape, {}, part);
}

/** One axis of the boxes. */
interface Axis {
  readonly part: string;
  readonly from: Value;
  readonly to: Value;
  readonly size: number;
  readonly g: number;
  readonly r: number;
  readonly scale: number;
}

/**
 * Weights of the pixels along one axis in each bin, R x g x size: 1 / length of the bin inside of it,
 * else 0.
 */
function binWeights(ctx: LayerContext, a: Axis): Value {
  const { part, g, r, size } = a;
  const step = (name: string, op: string, ...inputs: Value[]): Value =>
    ctx.op(op, inputs, [r, 1], {}, `${part}/${name}`);
  const number = (name: string, v: number): Value => ctx.scalar(`${part}/${name}`, v);
  /** round(v), plus 1 for the end, in the scale of the feature map. */
  const edge = (name: string, v: Value, more: number): Value => {
    const half = step(`${name}/half`, "Add", v, number(`${name}/0.5`, 0.5));
    const rounded = step(`${name}/round`, "Floor", half);
    const moved = more === 0
      ? rounded
      : step(`${name}/one`, "Add", rounded, number(`${name}/more`, more));
    return step(name, "Mul", moved, number(`${name}/scale`, a.scale));
  };
  const [start, end] = [edge("start", a.from, 0), edge("end", a.to, 1)];
  const length = step("length", "Sub", end, start);
  const extent = step("extent", "Max", length, number("least", Math.fround(0.1)));
  const bin = step("bin", "Div", extent, number("group", g));
  /** First or (exclusive) last pixel of each bin, clipped to the map. */
  const bound = (name: string, first: number, round: string): Value => {
    const many = (op: string, what: string, ...inputs: Value[]): Value =>
      ctx.op(op, inputs, [r, g], {}, `${part}/${name}/${what}`);
    const steps = ctx.constant(`${part}/${name}/steps`, counting([1, g], first));
    const whole = many(round, "whole", many("Add", "add", many("Mul", "mul", bin, steps), start));
    const bounds = [number(`${name}/0`, 0), number(`${name}/size`, size)];
    return ctx.reshape(many("Clip", "clip", whole, ...bounds), [r, g, 1], `${part}/${name}`);
  };
  const [first, last] = [bound("first", 0, "Floor"), bound("last", 1, "Ceil")];
  const pixels = ctx.constant(`${part}/pixels`, counting([1, 1, size]));
  const all = [r, g, size];
  const wide = (op: string, name: string, ...inputs: Value[]): Value =>
    ctx.op(op, inputs, all, {}, `${part}/${name}`);
  // All positions are whole numbers: one step beyond an edge decides.
  const before = unit(ctx, wide("Sub", "left", last, pixels), all, `${part}/before`);
  const behind = wide("Add", "right", wide("Sub", "past", pixels, first), number("1", 1));
  const inside = wide("Mul", "inside", before, unit(ctx, behind, all, `${part}/behind`));
  const narrow = (op: string, name: string, ...inputs: Value[]): Value =>
    ctx.op(op, inputs, [r, g, 1], {}, `${part}/${name}`);
  // An empty bin has no weights; dividing by 1 keeps it at 0.
  const count = narrow("Max", "count", narrow("Sub", "span", last, first), number("single", 1));
  return wide("Div", "weights", inside, count);
}
