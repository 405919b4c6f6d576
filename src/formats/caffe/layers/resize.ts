/**
 * Upsample and Interp: ONNX Resize.
 *
 * @module
 */

import { isFieldSet } from "../../../deps.ts";
import { attr } from "../../../ir/graph.ts";
import { f32 } from "../../../ir/tensor.ts";
import type { Converter, LayerContext } from "../context.ts";
import { InterpParameterSchema, UpsampleParameterSchema } from "../gen/caffe_pb.ts";
import { unpooling } from "./pooling.ts";

/** Upsample: repeats pixels; with a pooling mask as second bottom SegNet's unpooling. */
export const upsample: Converter = (ctx: LayerContext) => {
  ctx.arity([1, 2], 1);
  if (ctx.inputs.length === 2) {
    unpooling(ctx);
    return;
  }
  const p = ctx.params.upsampleParam;
  const x = ctx.input();
  if (x.shape.length !== 4) ctx.fail(`its input has ${x.shape.length} axes, but needs 4`, "bottom");
  const set = (f: keyof typeof UpsampleParameterSchema.field): boolean =>
    p !== undefined && isFieldSet(p, UpsampleParameterSchema.field[f]);
  const factor = (field: "H" | "W"): number => {
    const [scale, named, size] = field === "H"
      ? ["scaleH", "heightScale", "upsampleH"] as const
      : ["scaleW", "widthScale", "upsampleW"] as const;
    if (set(size)) return p![size] / x.shape[field === "H" ? 2 : 3]!;
    return set(scale) ? p![scale] : set(named) ? p![named] : p?.scale ?? 2;
  };
  const factors = [factor("H"), factor("W")];
  if (!factors.every((f) => Number.isInteger(f) && f >= 1)) {
    ctx.fail(
      `the scale ${factors.join(" x ")} is not a whole number`,
      "upsample_param",
      "unsupported",
    );
  }
  const scales = [1, 1, ...factors];
  ctx.top(ctx.op(
    "Resize",
    [x, undefined, ctx.constant("scales", f32([4], scales))],
    x.shape.map((d, i) => d * scales[i]!),
    {
      mode: attr.string("nearest"),
      coordinate_transformation_mode: attr.string("asymmetric"),
      nearest_mode: attr.string("floor"),
    },
  ));
};

/** Interp (DeepLab): bilinear between the corners, after cropping by negative padding. */
export const interp: Converter = (ctx: LayerContext) => {
  ctx.arity([1, 2], 1);
  const p = ctx.params.interpParam;
  let x = ctx.input();
  if (x.shape.length !== 4) ctx.fail(`its input has ${x.shape.length} axes, but needs 4`, "bottom");
  const set = (f: keyof typeof InterpParameterSchema.field): boolean =>
    p !== undefined && isFieldSet(p, InterpParameterSchema.field[f]);
  const [begin, end] = [p?.padBeg ?? 0, p?.padEnd ?? 0];
  if (begin > 0 || end > 0) {
    ctx.fail("pad_beg and pad_end crop: they must not be positive", "pad_beg");
  }
  if (begin < 0 || end < 0) {
    const shape = x.shape.map((d, i) => i < 2 ? d : d + begin + end);
    ctx.check(shape);
    const starts = ctx.ints("starts", [-begin, -begin]);
    const ends = ctx.ints("ends", [x.shape[2]! + end, x.shape[3]! + end]);
    x = ctx.op("Slice", [x, starts, ends, ctx.ints("axes", [2, 3])], shape, {}, "crop");
  }
  const [zoom, shrink] = [p?.zoomFactor ?? 1, p?.shrinkFactor ?? 1];
  if (zoom < 1 || shrink < 1) ctx.fail("zoom_factor and shrink_factor start at 1", "interp_param");
  const like = ctx.inputs[1];
  let size: number[];
  if (like !== undefined) size = [...like.shape.slice(2, 4)];
  else if (set("zoomFactor") || set("shrinkFactor")) {
    size = x.shape.slice(2).map((d) => {
      const shrunk = Math.floor((d - 1) / shrink) + 1;
      return shrunk + (shrunk - 1) * (zoom - 1);
    });
  } else if (set("height") && set("width")) size = [p!.height, p!.width];
  else ctx.fail("give zoom_factor, shrink_factor, or height and width", "interp_param");
  const shape = [x.shape[0]!, x.shape[1]!, ...size];
  ctx.check(shape);
  ctx.top(ctx.op("Resize", [x, undefined, undefined, ctx.ints("sizes", shape)], shape, {
    mode: attr.string("linear"),
    coordinate_transformation_mode: attr.string("align_corners"),
  }));
};
