/**
 * Embed: rows of a table.
 *
 * @module
 */

import { attr } from "../../../ir/graph.ts";
import type { Converter, LayerContext } from "../context.ts";

/** Gather by the input's values, which Caffe holds as floats, and the bias. */
export const embed: Converter = (ctx: LayerContext) => {
  ctx.arity(1, 1);
  const p = ctx.params.embedParam;
  const [width, words] = [p?.numOutput ?? 0, p?.inputDim ?? 0];
  if (width < 1 || words < 1) {
    ctx.fail("num_output and input_dim must be at least 1", "embed_param");
  }
  const [table, bias] = ctx.weights([
    { what: "weights", shape: [words, width], filler: p?.weightFiller },
    ...(p?.biasTerm ?? true ? [{ what: "bias", shape: [width], filler: p?.biasFiller }] : []),
  ]);
  const x = ctx.input();
  const index = ctx.op("Cast", [x], x.shape, { to: attr.int(7) }, "index", "int64");
  const shape = [...x.shape, width];
  const rows = [ctx.constant("weights", table!), index];
  if (bias === undefined) {
    ctx.top(ctx.op("Gather", rows, shape, { axis: attr.int(0) }));
    return;
  }
  const found = ctx.op("Gather", rows, shape, { axis: attr.int(0) }, "rows");
  ctx.top(ctx.op("Add", [found, ctx.constant("bias", bias)], shape));
};
