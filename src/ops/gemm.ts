import { gemmQuant } from "./lower/gemm.ts";
import { floatAttr, intAttr } from "../ir/graph.ts";
import { elementCount, shapeText, type TensorType } from "../ir/tensor.ts";
import { broadcastIndex, tryBroadcast } from "./broadcast.ts";
import { endsSubgraph, given, modelError } from "./context.ts";
import { gemmLimits } from "./conv_rules.ts";
import { fromDoubles, isFloat, toDoubles } from "./convert.ts";
import { featureBefore } from "./fusion.ts";
import { matrixProduct } from "./matrix.ts";
import { type InferContext, type OpDef, type RuleContext, shapeError } from "./op.ts";
import { dtypeFloat, first, note, onBpu, outside, place, rule } from "./rules.ts";

function sizes(c: InferContext): { m: number; n: number; k: number } {
  const [a, b] = [c.need(0), c.need(1)];
  if (a.dtype !== b.dtype) modelError(c.node, `its inputs are ${a.dtype} and ${b.dtype}`);
  if (a.shape.length !== 2 || b.shape.length !== 2) {
    shapeError(
      c.node,
      `its inputs are ${shapeText(a.shape)} and ${shapeText(b.shape)}, both must have rank 2`,
    );
  }
  const [m, ka] = intAttr(c.node, "transA", 0)
    ? [a.shape[1]!, a.shape[0]!]
    : a.shape as [number, number];
  const [kb, n] = intAttr(c.node, "transB", 0)
    ? [b.shape[1]!, b.shape[0]!]
    : b.shape as [number, number];
  if (ka >= 0 && kb >= 0 && ka !== kb) {
    shapeError(c.node, `its inner dimensions ${ka} and ${kb} differ`);
  }
  return { m, n, k: ka >= 0 ? ka : kb };
}

function infer(c: InferContext): TensorType[] {
  const { m, n } = sizes(c);
  const shape = [m, n];
  if (given(c, 2)) {
    const bias = c.need(2).shape;
    const both = tryBroadcast([bias, shape]);
    const grows = both === undefined || both.length > 2 ||
      both.some((d, i) => shape[i]! >= 0 && d >= 0 && d !== shape[i]);
    if (grows) {
      shapeError(c.node, `C of shape ${shapeText(bias)} does not broadcast to ${shapeText(shape)}`);
    }
  }
  return [{ dtype: c.need(0).dtype, shape }];
}

/** H * W/8 * C/4 of the feature map. */
const load = (c: RuleContext): number => {
  const [ch, h, w] = featureBefore(c, 0);
  return h * (w / 8) * (ch / 4);
};

const bernoulli2 = [
  note("converted to Conv"),
  rule("input H,W both <= 7: same limits as Conv", (c) => {
    const [ch, h, w] = featureBefore(c, 0);
    return first(
      outside("input H", h, undefined, 7),
      outside("input W", w, undefined, 7),
      h === 1 && w === 1 ? undefined : outside("weight C*H*W", ch * h * w, undefined, 32768),
    );
  }),
  rule("C <= 16384 if H and W are 1, else C <= 2048", (c) => {
    const [ch, h, w] = featureBefore(c, 0);
    return outside("input C", ch, undefined, h === 1 && w === 1 ? 16384 : 2048);
  }),
  rule(
    "next op on BPU (int8 output): H*(W/8)*(C/4) <= 1024",
    (c) => endsSubgraph(c) ? undefined : outside("H*(W/8)*(C/4)", load(c), undefined, 1024),
  ),
  rule(
    "next op not on BPU (int32 output): H*(W/8)*(C/4) < 2048",
    (c) =>
      !endsSubgraph(c) || load(c) < 2048
        ? undefined
        : `H*(W/8)*(C/4) ${load(c)} is not less than 2048`,
  ),
];

/** alpha A' B' + beta C, A' and B' being transposed by transA and transB. */
export const gemm: OpDef = {
  op: "Gemm",
  quant: gemmQuant,
  infer,
  fold(c) {
    const [a, b, bias] = [c.constant(0), c.constant(1), c.constant(2)];
    if (a === undefined || b === undefined || (given(c, 2) && bias === undefined)) return undefined;
    if (!isFloat(a.dtype)) return undefined;
    const { m, n, k } = sizes(c);
    const ta = intAttr(c.node, "transA", 0) !== 0;
    const tb = intAttr(c.node, "transB", 0) !== 0;
    const alpha = floatAttr(c.node, "alpha", 1);
    const beta = floatAttr(c.node, "beta", 1);
    const y = matrixProduct(toDoubles(a), toDoubles(b), m, n, k, ta, tb);
    const index = bias === undefined ? undefined : broadcastIndex(bias.shape, [m, n]);
    const add = bias === undefined ? undefined : toDoubles(bias);
    for (let i = 0; i < y.length; i++) {
      y[i] = alpha * y[i]! + (add === undefined ? 0 : beta * add[index?.[i] ?? i]!);
    }
    return [{ dtype: a.dtype, shape: [m, n], data: fromDoubles(a.dtype, y) }];
  },
  place: place(
    onBpu("unstated", [note("converted to Conv"), gemmLimits(65535)], [dtypeFloat], "sizes"),
    onBpu("no", bernoulli2, [dtypeFloat]),
    onBpu("unstated", [note("converted to Conv"), gemmLimits(32767)], [dtypeFloat], "sizes"),
  ),
  macs: (c) => elementCount(c.output(0).shape) * sizes(c).k,
};
