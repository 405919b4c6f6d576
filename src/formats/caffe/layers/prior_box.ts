/**
 * PriorBox (SSD): boxes that depend on shapes only, so they are computed here.
 *
 * @module
 */

import { isFieldSet } from "../../../deps.ts";
import { tensor } from "../../../ir/tensor.ts";
import type { Converter, LayerContext } from "../context.ts";
import { PriorBoxParameterSchema } from "../gen/caffe_pb.ts";

const F = PriorBoxParameterSchema.field;
/** Real nets have up to five. */
const MAX_RATIOS = 1000;
const f = Math.fround;

/** PriorBox: a constant of shape 1x2xN, corners and variances. */
export const priorBox: Converter = (ctx: LayerContext) => {
  ctx.arity(2, 1);
  const p = ctx.params.priorBoxParam;
  if (p === undefined || p.minSize.length === 0) ctx.fail("min_size is missing", "prior_box_param");
  const [feature, data] = [ctx.input(0).shape, ctx.input(1).shape];
  if (feature.length !== 4 || data.length !== 4) ctx.fail("its bottoms need 4 axes", "bottom");
  if (p.maxSize.length > 0 && p.maxSize.length !== p.minSize.length) {
    ctx.fail("max_size must be given as often as min_size", "max_size");
  }
  const ratios = [1];
  if (p.aspectRatio.length > MAX_RATIOS) {
    ctx.fail(`its ${p.aspectRatio.length} aspect_ratio are too many`, "aspect_ratio", "limit");
  }
  for (const ratio of p.aspectRatio) {
    if (ratio <= 0) ctx.fail("aspect_ratio must be positive", "aspect_ratio");
    if (ratios.some((r) => Math.abs(r - ratio) < 1e-6)) continue;
    ratios.push(ratio);
    if (p.flip) ratios.push(f(1 / ratio));
  }
  const [height, width] = [feature[2]!, feature[3]!];
  const given = isFieldSet(p, F.imgSize);
  const imageH = given ? p.imgSize : isFieldSet(p, F.imgH) ? p.imgH : data[2]!;
  const imageW = given ? p.imgSize : isFieldSet(p, F.imgW) ? p.imgW : data[3]!;
  if (imageH < 1 || imageW < 1) ctx.fail("the image size must be at least 1", "prior_box_param");
  const both = isFieldSet(p, F.step);
  const stepH = (both ? p.step : p.stepH) || f(imageH / height);
  const stepW = (both ? p.step : p.stepW) || f(imageW / width);
  const variance = p.variance.length === 0 ? [f(0.1)] : p.variance;
  if (variance.length !== 1 && variance.length !== 4) {
    ctx.fail("variance is given once or four times", "variance");
  }
  const count = height * width * 4 * (p.minSize.length * ratios.length + p.maxSize.length);
  ctx.reserve(2 * count);
  // Width and height of the boxes at each place, in Caffe's order.
  const sizes: [number, number][] = [];
  for (const [i, size] of p.minSize.entries()) {
    if (size <= 0) ctx.fail("min_size must be positive", "min_size");
    sizes.push([size, size]);
    const most = p.maxSize[i];
    if (most !== undefined) {
      if (most <= size) ctx.fail("max_size must be greater than min_size", "max_size");
      const middle = f(Math.sqrt(f(size * most)));
      sizes.push([middle, middle]);
    }
    for (const ratio of ratios) {
      if (Math.abs(ratio - 1) < 1e-6) continue;
      const root = f(Math.sqrt(ratio));
      sizes.push([f(size * root), f(size / root)]);
    }
  }
  const out = new Float32Array(2 * count);
  let at = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [cx, cy] = [f(f(x + p.offset) * stepW), f(f(y + p.offset) * stepH)];
      for (const [w, h] of sizes) {
        out[at++] = (cx - w / 2) / imageW;
        out[at++] = (cy - h / 2) / imageH;
        out[at++] = (cx + w / 2) / imageW;
        out[at++] = (cy + h / 2) / imageH;
      }
    }
  }
  if (p.clip) { for (let i = 0; i < count; i++) out[i] = Math.min(Math.max(out[i]!, 0), 1); }
  for (let i = 0; i < count; i++) out[count + i] = variance[i % variance.length]!;
  ctx.top(ctx.constant("boxes", tensor("float32", [1, 2, count], out)));
};
