import { floatAttr, intAttr } from "../ir/graph.ts";
import { elementCount, type Tensor, type TensorType } from "../ir/tensor.ts";
import { tryBroadcast } from "./broadcast.ts";
import { given, modelError } from "./context.ts";
import { fromDoubles, isFloat, toDoubles } from "./convert.ts";
import { type InferContext, type OpDef, shapeError } from "./op.ts";
import { LAYER_NORM_STEPS } from "./hz/hz_layer_norm.ts";
import { layerNormQuant, normalisedAxis } from "./lower/layer_norm.ts";
import { placeNormalisation } from "./normalisation_rules.ts";
import { needFloat } from "./pool.ts";

function infer(c: InferContext): TensorType[] {
  needFloat(c);
  const { dtype, shape } = c.need(0);
  const axis = normalisedAxis(c);
  for (const i of [1, 2]) {
    if (i === 2 && !given(c, 2)) continue;
    const fits = tryBroadcast([c.need(i).shape, shape]);
    if (fits === undefined || fits.length !== shape.length) {
      shapeError(c.node, `input ${i} of shape ${c.need(i).shape.join("x")} does not fit its input`);
    }
  }
  if (intAttr(c.node, "stash_type", 1) !== 1) modelError(c.node, "stash_type must be float");
  const reduced = shape.map((d, i) => i < axis ? d : 1);
  return [
    { dtype, shape },
    ...c.node.outputs.slice(1).map((): TensorType => ({ dtype: "float32", shape: reduced })),
  ];
}

/** Normalises over the axes from `axis` on; inputs X, scale, optional B (opset 17). */
export const layerNormalization: OpDef = {
  op: "LayerNormalization",
  infer,
  fold(c) {
    const [x, scale, bias] = [c.constant(0), c.constant(1), c.constant(2)];
    if (x === undefined || scale === undefined || !isFloat(x.dtype)) return undefined;
    if (given(c, 2) && bias === undefined) return undefined;
    const axis = normalisedAxis(c);
    const inner = elementCount(x.shape.slice(axis));
    const s = toDoubles(scale);
    const b = bias === undefined ? undefined : toDoubles(bias);
    if (s.length !== inner || (b !== undefined && b.length !== inner)) return undefined;
    const v = toDoubles(x);
    const y = new Float64Array(v.length);
    const means: number[] = [];
    const factors: number[] = [];
    const epsilon = floatAttr(c.node, "epsilon", 1e-5);
    for (let at = 0; at < v.length; at += inner) {
      let mean = 0;
      for (let i = 0; i < inner; i++) mean += v[at + i]!;
      mean /= inner;
      let variance = 0;
      for (let i = 0; i < inner; i++) variance += (v[at + i]! - mean) ** 2;
      const k = 1 / Math.sqrt(variance / inner + epsilon);
      means.push(mean);
      factors.push(k);
      for (let i = 0; i < inner; i++) y[at + i] = (v[at + i]! - mean) * k * s[i]! + (b?.[i] ?? 0);
    }
    const shape = x.shape.map((d, i) => i < axis ? d : 1);
    const all: Tensor[] = [
      { dtype: x.dtype, shape: x.shape, data: fromDoubles(x.dtype, y) },
      { dtype: "float32", shape, data: Float32Array.from(means) },
      { dtype: "float32", shape, data: Float32Array.from(factors) },
    ];
    return all.slice(0, c.node.outputs.length);
  },
  place: placeNormalisation(
    "ReduceMean, Sub, Mul, ReduceMean, Sqrt, Reciprocal, Mul, Add",
  ),
  quant: layerNormQuant,
  macs: (c) => 2 * elementCount(c.output(0).shape),
  steps: LAYER_NORM_STEPS,
};
