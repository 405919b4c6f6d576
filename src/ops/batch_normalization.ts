import { floatAttr, intAttr } from "../ir/graph.ts";
import { elementCount, type TensorType } from "../ir/tensor.ts";
import { fromDoubles, isFloat, toDoubles } from "./convert.ts";
import { fusedIntoConv } from "./fusion.ts";
import { type InferContext, type OpDef, type RuleContext, shapeError } from "./op.ts";
import { needFloat } from "./pool.ts";
import { dtypeFloat, onBpu, place, rule, unrestricted } from "./rules.ts";

function infer(c: InferContext): TensorType[] {
  needFloat(c);
  const { dtype, shape } = c.need(0);
  if (shape.length < 1) shapeError(c.node, "its input is a scalar");
  const channels = shape.length === 1 ? 1 : shape[1]!;
  for (let i = 1; i < 5; i++) {
    const s = c.need(i).shape;
    if (s.length !== 1 || (s[0]! >= 0 && channels >= 0 && s[0] !== channels)) {
      shapeError(c.node, `input ${i} has ${s.join("x")} values for ${channels} channels`);
    }
  }
  const y = { dtype, shape };
  const extra = c.node.outputs.slice(1).map((_, i) => ({
    dtype: c.need(3 + (i % 2)).dtype,
    shape: [channels],
  }));
  return [y, ...extra];
}

const cpu = [
  dtypeFloat,
  rule("channel at dim 1", (c: RuleContext) => {
    const rank = c.need(0).shape.length;
    return rank >= 2 ? undefined : `input rank ${rank} has no channel dimension`;
  }),
];

/** scale (x - mean) / sqrt(var + epsilon) + B per channel; inputs X, scale, B, mean, var. */
export const batchNormalization: OpDef = {
  op: "BatchNormalization",
  infer,
  fold(c) {
    if (intAttr(c.node, "training_mode", 0) !== 0 || c.node.outputs.length > 1) return undefined;
    const x = c.constant(0);
    const parts = [1, 2, 3, 4].map((i) => c.constant(i));
    if (x === undefined || !isFloat(x.dtype)) return undefined;
    const [scale, bias, mean, variance] = parts.map((p) =>
      p === undefined ? undefined : toDoubles(p)
    );
    if (!scale || !bias || !mean || !variance) return undefined;
    const epsilon = floatAttr(c.node, "epsilon", 1e-5);
    const inner = elementCount(x.shape.slice(2));
    const channels = x.shape.length < 2 ? 1 : x.shape[1]!;
    const y = toDoubles(x).map((v, i) => {
      const k = Math.floor(i / inner) % channels;
      return (v - mean[k]!) / Math.sqrt(variance[k]! + epsilon) * scale[k]! + bias[k]!;
    });
    return [{ dtype: x.dtype, shape: x.shape, data: fromDoubles(x.dtype, y) }];
  },
  place: place(
    onBpu("unstated", [unrestricted], cpu, "sizes"),
    onBpu("no", [fusedIntoConv], cpu),
  ),
  macs: (c) => elementCount(c.output(0).shape),
};
