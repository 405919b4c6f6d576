/**
 * InnerProduct: a fully connected layer over everything from an axis on.
 *
 * @module
 */

import { attr } from "../../../ir/graph.ts";
import { elementCount, type Tensor } from "../../../ir/tensor.ts";
import type { BlobSpec, Converter, LayerContext } from "../context.ts";

/** InnerProduct: Flatten and Gemm, with a Reshape when axes before `axis` are kept. */
export const innerProduct: Converter = (ctx: LayerContext) => {
  ctx.arity(1, 1);
  const p = ctx.params.innerProductParam;
  if (p === undefined) ctx.fail("inner_product_param is missing");
  if (p.numOutput < 1) ctx.fail("num_output must be at least 1", "num_output");
  const x = ctx.input();
  const axis = ctx.axis(p.axis, x.shape.length);
  const lead = x.shape.slice(0, axis);
  const rows = elementCount(lead);
  const depth = elementCount(x.shape.slice(axis));
  const specs: BlobSpec[] = [{
    what: "weights",
    shape: p.transpose ? [depth, p.numOutput] : [p.numOutput, depth],
    filler: p.weightFiller,
  }];
  if (p.biasTerm) specs.push({ what: "bias", shape: [p.numOutput], filler: p.biasFiller });
  const [weights, bias] = ctx.weights(specs) as [Tensor, Tensor | undefined];
  const flat = x.shape.length === 2 && axis === 1
    ? x
    : ctx.op("Flatten", [x], [rows, depth], { axis: attr.int(axis) }, "flatten");
  const y = ctx.op(
    "Gemm",
    [
      flat,
      ctx.constant("weights", weights),
      bias === undefined ? undefined : ctx.constant("bias", bias),
    ],
    [rows, p.numOutput],
    { transB: attr.int(p.transpose ? 0 : 1) },
  );
  ctx.top(ctx.reshape(y, [...lead, p.numOutput], "reshape"));
};
