/**
 * ROIPooling and PSROIPooling: pooling inside of boxes that the net computes.
 *
 * @module
 */

import { type Attr, attr } from "../../../ir/graph.ts";
import { type DType, f32, tensor } from "../../../ir/tensor.ts";
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

/** Emits helper nodes of one layer with less ceremony. */
class Steps {
  constructor(readonly ctx: LayerContext) {}

  op(
    op: string,
    part: string,
    inputs: Value[],
    shape: readonly number[],
    dtype: DType = "float32",
    attrs: Readonly<Record<string, Attr>> = {},
  ): Value {
    return this.ctx.op(op, inputs, shape, attrs, part, dtype);
  }

  scalar(part: string, value: number): Value {
    return this.ctx.scalar(part, value);
  }
}

/**
 * PSROIPooling (R-FCN): the mean in each bin of each box, each bin from channels of its own. With the
 * sums over all rectangles from the corner (in double), a mean is four look-ups.
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
    ctx.fail(
      `its input has ${c} channels, but output_dim ${dim} and group_size ${g} need ${dim * g * g}`,
    );
  }
  const rois = boxes(ctx);
  const r = rois.shape[0]!;
  const s = new Steps(ctx);

  // Sums over rectangles from the corner: N, g, g, H+1, W+1, dim.
  const wide = s.op("Cast", "double", [x], x.shape, "float64", { to: attr.int(11) });
  const rows = s.op("CumSum", "rows", [wide, ctx.ints("axis2", [2])], x.shape, "float64");
  const both = s.op("CumSum", "columns", [rows, ctx.ints("axis3", [3])], x.shape, "float64");
  const border = ctx.ints("border", [0, 0, 1, 1, 0, 0, 0, 0]);
  const padded = s.op("Pad", "pad", [both, border], [n, c, h + 1, w + 1], "float64");
  const apart = ctx.reshape(padded, [n, dim, g, g, h + 1, w + 1], "apart");
  const sums = s.op("Transpose", "sums", [apart], [n, g, g, h + 1, w + 1, dim], "float64", {
    perm: attr.ints([0, 2, 3, 4, 5, 1]),
  });

  const index = ctx.ops(
    "Split",
    [rois, ctx.ints("split", [1, 1, 1, 1, 1])],
    Array.from({ length: 5 }, () => ({ dtype: "float32", shape: [r, 1] } as const)),
    { axis: attr.int(1) },
    "box",
  ) as [Value, Value, Value, Value, Value];
  const [batch, x1, y1, x2, y2] = index;
  const half = s.scalar("half", 0.5);
  const scale = s.scalar("spatial_scale", p.spatialScale);
  const step = (part: string, op: string, ...inputs: Value[]): Value =>
    s.op(op, part, inputs, [r, 1]);
  /** round(v) (+ 1) in the scale of the feature map. */
  const edge = (part: string, v: Value, more: number): Value => {
    const rounded = step(`${part}/floor`, "Floor", step(`${part}/half`, "Add", v, half));
    const moved = more === 0
      ? rounded
      : step(`${part}/one`, "Add", rounded, s.scalar(`${part}/more`, more));
    return step(`${part}/scaled`, "Mul", moved, scale);
  };
  /** First and last (exclusive) pixel of each bin, R x g, clipped to the map. */
  const bins = (part: string, from: Value, to: Value, size: number): [Value, Value] => {
    const [start, end] = [edge(`${part}/start`, from, 0), edge(`${part}/end`, to, 1)];
    const extent = step(
      `${part}/extent`,
      "Max",
      step(`${part}/length`, "Sub", end, start),
      s.scalar(`${part}/least`, Math.fround(0.1)),
    );
    const bin = step(`${part}/bin`, "Div", extent, s.scalar(`${part}/group`, g));
    const bound = (name: string, first: number, round: string): Value => {
      const steps = ctx.constant(
        `${part}/${name}/steps`,
        f32([1, g], Array.from({ length: g }, (_, i) => i + first)),
      );
      const at = s.op("Mul", `${part}/${name}/mul`, [bin, steps], [r, g]);
      const moved = s.op("Add", `${part}/${name}/add`, [at, start], [r, g]);
      const whole = s.op(round, `${part}/${name}/whole`, [moved], [r, g]);
      const clipped = s.op("Clip", `${part}/${name}/clip`, [
        whole,
        s.scalar(`${part}/${name}/min`, 0),
        s.scalar(`${part}/${name}/max`, size),
      ], [r, g]);
      return s.op("Cast", `${part}/${name}`, [clipped], [r, g], "int64", { to: attr.int(7) });
    };
    return [bound("first", 0, "Floor"), bound("last", 1, "Ceil")];
  };
  const [top, bottom] = bins("y", y1, y2, h);
  const [left, right] = bins("x", x1, x2, w);

  const grid = [r, g, g, 1];
  const full = ctx.ints("grid", grid);
  const spread = (part: string, v: Value, shape: readonly number[]): Value =>
    s.op("Expand", part, [ctx.reshape(v, shape, `${part}/reshape`), full], grid, v.dtype);
  const image64 = s.op("Cast", "image", [batch], [r, 1], "int64", { to: attr.int(7) });
  const images = spread("images", image64, [r, 1, 1, 1]);
  const counting = (part: string, shape: readonly number[]): Value =>
    spread(
      part,
      ctx.constant(
        `${part}/index`,
        tensor("int64", shape, BigInt64Array.from({ length: g }, (_, i) => BigInt(i))),
      ),
      shape,
    );
  const [binY, binX] = [counting("bin_y", [1, g, 1, 1]), counting("bin_x", [1, 1, g, 1])];
  const ys = [spread("top", top, [r, g, 1, 1]), spread("bottom", bottom, [r, g, 1, 1])] as const;
  const xs = [spread("left", left, [r, 1, g, 1]), spread("right", right, [r, 1, g, 1])] as const;
  const values = [r, g, g, dim];
  const look = (part: string, y: Value, xv: Value): Value => {
    const at = s.op("Concat", `${part}/at`, [images, binY, binX, y, xv], [r, g, g, 5], "int64", {
      axis: attr.int(3),
    });
    return s.op("GatherND", part, [sums, at], values, "float64");
  };
  const outer = s.op(
    "Sub",
    "outer",
    [look("s11", ys[1], xs[1]), look("s01", ys[0], xs[1])],
    values,
    "float64",
  );
  const inner = s.op(
    "Sub",
    "inner",
    [look("s10", ys[1], xs[0]), look("s00", ys[0], xs[0])],
    values,
    "float64",
  );
  const sum = s.op("Sub", "sum", [outer, inner], values, "float64");
  const area64 = s.op(
    "Mul",
    "area",
    [
      s.op("Sub", "height", [ys[1], ys[0]], grid, "int64"),
      s.op("Sub", "width", [xs[1], xs[0]], grid, "int64"),
    ],
    grid,
    "int64",
  );
  // An empty bin is 0: its sum is, whatever it is divided by.
  const one = ctx.constant("one", tensor("int64", [], BigInt64Array.of(1n)));
  const counted = s.op("Max", "counted", [area64, one], grid, "int64");
  const area = s.op("Cast", "area64", [counted], grid, "float64", { to: attr.int(11) });
  const mean = s.op("Div", "mean", [sum, area], values, "float64");
  const float = s.op("Cast", "float", [mean], values, "float32", { to: attr.int(1) });
  ctx.top(ctx.op("Transpose", [float], [r, dim, g, g], { perm: attr.ints([0, 3, 1, 2]) }));
};
