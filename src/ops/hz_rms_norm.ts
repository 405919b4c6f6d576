import { fn } from "../ir/function.ts";
import { HORIZON } from "../ir/graph.ts";
import { RMS_NORM_STEPS } from "./hz/hz_layer_norm.ts";
import { normalisedAxis, rmsNormQuant } from "./lower/layer_norm.ts";
import { placeNormalisation } from "./normalisation_rules.ts";
import { elementCount } from "../ir/tensor.ts";
import { tryBroadcast } from "./broadcast.ts";
import { type OpDef, shapeError } from "./op.ts";
import { needFloat } from "./pool.ts";

/**
 * x / sqrt(mean(x^2) + epsilon) * scale over the last dimensions, made by a pass from what exporters
 * write; inputs X and scale, attributes axes (ascending) and epsilon. Opset 17 has no such operator.
 */
export const hzRmsNormalization: OpDef = {
  op: "HzRMSNormalization",
  domain: HORIZON,
  infer(c) {
    needFloat(c);
    const { dtype, shape } = c.need(0);
    normalisedAxis(c);
    const fits = tryBroadcast([c.need(1).shape, shape]);
    if (fits === undefined || fits.length !== shape.length) {
      shapeError(c.node, `scale of shape ${c.need(1).shape.join("x")} does not fit its input`);
    }
    return [{ dtype, shape }];
  },
  place: placeNormalisation("Mul, ReduceMean, Add, Sqrt, Reciprocal, Mul"),
  quant: rmsNormQuant,
  body: fn(
    "HzRMSNormalization",
    ["x", "scale"],
    ["y"],
    ["axes:ints", "epsilon:float"],
    "xx=Mul(x, x); q=ReduceMean(xx){axes=@axes keepdims=1}; v=Add(q, @epsilon); " +
      "s=Sqrt(v); n=Div(x, s); y=Mul(n, scale)",
  ),
  macs: (c) => 2 * elementCount(c.output(0).shape),
  steps: RMS_NORM_STEPS,
};
