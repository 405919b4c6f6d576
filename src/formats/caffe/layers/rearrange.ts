/**
 * Layers that trade space for channels: Reorg, PassThrough, ShuffleChannel.
 *
 * @module
 */

import { attr } from "../../../ir/graph.ts";
import type { Value } from "../build.ts";
import type { Converter, LayerContext } from "../context.ts";

function image(ctx: LayerContext): [number, number, number, number] {
  ctx.arity(1, 1);
  const { shape } = ctx.input();
  if (shape.length !== 4) ctx.fail(`its input has ${shape.length} axes, but needs 4`, "bottom");
  return [shape[0]!, shape[1]!, shape[2]!, shape[3]!];
}

/** Reshape, Transpose, Reshape; the Transpose carries the layer's name. */
function shuffled(
  ctx: LayerContext,
  x: Value,
  dims: readonly number[],
  perm: readonly number[],
  shape: readonly number[],
): Value {
  const apart = ctx.reshape(x, dims, "apart");
  const moved = ctx.op("Transpose", [apart], perm.map((i) => dims[i]!), { perm: attr.ints(perm) });
  return ctx.reshape(moved, shape, "together");
}

/**
 * Reorg of YOLO. `reverse` is DepthToSpace. Forward is not its inverse: the loop treats the input as
 * if its channels were already divided by stride^2, which trained models rely on.
 */
export const reorg: Converter = (ctx: LayerContext) => {
  const [n, c, h, w] = image(ctx);
  const p = ctx.params.reorgParam;
  const s = p?.stride ?? 0;
  if (s < 1) ctx.fail("stride is missing", "reorg_param");
  if (c % (s * s) !== 0) ctx.fail(`its ${c} channels do not divide by ${s * s}`, "stride");
  const x = ctx.input();
  if (p?.reverse) {
    ctx.top(ctx.op("DepthToSpace", [x], [n, c / (s * s), h * s, w * s], {
      blocksize: attr.int(s),
      mode: attr.string("DCR"),
    }));
    return;
  }
  if (h % s !== 0 || w % s !== 0) {
    ctx.fail(`its input of ${h}x${w} does not divide by ${s}`, "stride");
  }
  const dims = [n, c / (s * s), h, s, w, s];
  ctx.top(shuffled(ctx, x, dims, [0, 3, 5, 1, 2, 4], [n, c * s * s, h / s, w / s]));
};

/** PassThrough: blocks of pixels become channels, N,C,H,W to N,4C,H/2,W/2 by default. */
export const passThrough: Converter = (ctx: LayerContext) => {
  const [n, c, h, w] = image(ctx);
  const p = ctx.params.passThroughParam ?? ctx.params.passthroughParam;
  const [bh, bw] = [p?.blockHeight ?? 2, p?.blockWidth ?? 2];
  if (bh < 1 || bw < 1 || h % bh !== 0 || w % bw !== 0) {
    ctx.fail(`its input of ${h}x${w} does not divide into blocks of ${bh}x${bw}`);
  }
  const x = ctx.input();
  const shape = [n, c * bh * bw, h / bh, w / bw];
  const inward = p?.mode === 1;
  if (bh === bw && !inward) {
    ctx.top(ctx.op("SpaceToDepth", [x], shape, { blocksize: attr.int(bh) }));
    return;
  }
  const dims = [n, c, h / bh, bh, w / bw, bw];
  ctx.top(shuffled(ctx, x, dims, inward ? [0, 1, 3, 5, 2, 4] : [0, 3, 5, 1, 2, 4], shape));
};

/** ShuffleChannel: channels of `group` groups take turns. */
export const shuffleChannel: Converter = (ctx: LayerContext) => {
  ctx.arity(1, 1);
  const x = ctx.input();
  const group = ctx.params.shuffleChannelParam?.group ?? 1;
  const [n, c, ...rest] = x.shape;
  if (n === undefined || c === undefined) ctx.fail("its input needs at least 2 axes", "bottom");
  if (group < 1 || c % group !== 0) {
    ctx.fail(`its ${c} channels do not divide into ${group} groups`, "group");
  }
  const axes = rest.map((_, i) => i + 3);
  const dims = [n, group, c / group, ...rest];
  ctx.top(shuffled(ctx, x, dims, [0, 2, 1, ...axes], x.shape));
};
