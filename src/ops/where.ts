import { allocate, elementCount, type Tensor, type TensorType } from "../ir/tensor.ts";
import { broadcastIndex, broadcastShape } from "./broadcast.ts";
import { modelError } from "./context.ts";
import type { InferContext, OpDef, RuleContext } from "./op.ts";
import { dtypeIn, everywhere, onCpu, rule } from "./rules.ts";
import { sameShape, shapeText } from "../ir/tensor.ts";

function infer(c: InferContext): TensorType[] {
  const [k, x, y] = [c.need(0), c.need(1), c.need(2)];
  if (k.dtype !== "bool") modelError(c.node, `its condition is ${k.dtype}, not bool`);
  if (x.dtype !== y.dtype) {
    modelError(c.node, `its inputs have different types, ${x.dtype} and ${y.dtype}`);
  }
  return [{ dtype: x.dtype, shape: broadcastShape(c.node, [k.shape, x.shape, y.shape]) }];
}

function shapesFit(c: RuleContext): boolean {
  const [k, x, y, out] = [c.need(0), c.need(1), c.need(2), c.output(0)].map((t) => t.shape) as [
    readonly number[],
    readonly number[],
    readonly number[],
    readonly number[],
  ];
  if (sameShape(k, out) && (sameShape(x, out) || sameShape(y, out))) return true;
  if (k.length !== 4 || out.length !== 4 || k[0] !== out[0] || k[1] !== out[1]) return false;
  return (k[2] === 1 || k[2] === out[2]) && (k[3] === 1 || k[3] === out[3]);
}

/** Elements of X where the condition holds, else of Y. */
export const where: OpDef = {
  op: "Where",
  infer,
  fold(c) {
    const [k, x, y] = [c.constant(0), c.constant(1), c.constant(2)];
    if (k === undefined || x === undefined || y === undefined) return undefined;
    const shape = broadcastShape(c.node, [k.shape, x.shape, y.shape]);
    const count = elementCount(shape);
    const [ik, ix, iy] = [k, x, y].map((t) => broadcastIndex(t.shape, shape));
    const data = allocate(x.dtype, count);
    const holds = k.data as Uint8Array;
    for (let i = 0; i < count; i++) {
      const from = holds[ik?.[i] ?? i] ? x.data[ix?.[i] ?? i] : y.data[iy?.[i] ?? i];
      (data as (typeof from)[])[i] = from;
    }
    const out: Tensor = { dtype: x.dtype, shape, data };
    return [out];
  },
  place: everywhere(onCpu(
    dtypeIn(["float", "int64"], "dtype in {float,int64}", [1, 2]),
    rule(
      "any of: (a) condition shape == output shape, X or Y broadcast with X or Y shape == output shape (b) condition and output rank 4, same N and C, condition HxW in {1x1,Hx1,1xW}",
      (c) =>
        shapesFit(c)
          ? undefined
          : `a condition of shape ${shapeText(c.need(0).shape)} does not fit the output`,
    ),
  )),
};
