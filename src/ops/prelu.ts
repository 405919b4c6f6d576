import { elementCount, sameShape, shapeText, type TensorType } from "../ir/tensor.ts";
import { broadcastIndex, tryBroadcast } from "./broadcast.ts";
import { modelError } from "./context.ts";
import { fromDoubles, toDoubles } from "./convert.ts";
import { type InferContext, type OpDef, shapeError } from "./op.ts";
import { dtypeFloat, onBpu, onCpu, place, rule } from "./rules.ts";
import { preluQuant } from "./lower/elementwise.ts";

function infer(c: InferContext): TensorType[] {
  const [x, slope] = [c.need(0), c.need(1)];
  if (x.dtype !== slope.dtype) modelError(c.node, `X is ${x.dtype} and its slope ${slope.dtype}`);
  const out = tryBroadcast([x.shape, slope.shape]);
  if (out === undefined || out.length !== x.shape.length) {
    shapeError(
      c.node,
      `a slope of shape ${shapeText(slope.shape)} does not broadcast to ${shapeText(x.shape)}`,
    );
  }
  return [{ dtype: x.dtype, shape: x.shape }];
}

const cpu = [
  dtypeFloat,
  rule(
    "X and slope shapes, any of: (a) equal (b) slope has 1 element (c) both rank 4 NCHW, same N and C, slope HxW in {1x1,Hx1,1xW} (d) X rank 4, slope rank 3, X dim 1 == slope dim 0, slope dims 1,2 == 1",
    (c) => {
      const [x, s] = [c.need(0).shape, c.need(1).shape];
      if (sameShape(x, s) || elementCount(s) === 1) return undefined;
      if (x.length === 4 && s.length === 4 && x[0] === s[0] && x[1] === s[1]) {
        if ((s[2] === 1 || s[2] === x[2]) && (s[3] === 1 || s[3] === x[3])) return undefined;
      }
      if (x.length === 4 && s.length === 3 && s[0] === x[1] && s[1] === 1 && s[2] === 1) {
        return undefined;
      }
      return `a slope of shape ${shapeText(s)} does not fit an input of ${shapeText(x)}`;
    },
  ),
];

/** x, or slope * x below 0; the slope broadcasts to x. */
export const prelu: OpDef = {
  op: "PRelu",
  quant: preluQuant,
  infer,
  fold(c) {
    const [x, slope] = [c.constant(0), c.constant(1)];
    if (x === undefined || slope === undefined) return undefined;
    const index = broadcastIndex(slope.shape, x.shape);
    const s = toDoubles(slope);
    const data = toDoubles(x).map((v, i) => v < 0 ? v * s[index?.[i] ?? i]! : v);
    return [{ dtype: x.dtype, shape: x.shape, data: fromDoubles(x.dtype, data) }];
  },
  place: place(onCpu(...cpu), onBpu("no", [], cpu)),
};
