import { intAttr, type Node } from "../ir/graph.ts";
import { elementCount, type TensorType } from "../ir/tensor.ts";
import { given, modelError } from "./context.ts";
import { convCpu, convOnBayes, convOnBayesE, convOnBernoulli2 } from "./conv_rules.ts";
import { type InferContext, type OpDef, shapeError } from "./op.ts";
import { onBpu, place } from "./rules.ts";
import { windowOf, windowShape } from "./spatial.ts";
import { convQuant } from "./lower/conv.ts";

/** Shape of a convolution of `x` [N,C,...] with weights `w` [M,C/group,...]. */
export function convShape(n: Node, x: readonly number[], w: readonly number[]): number[] {
  if (x.length < 3) shapeError(n, `its input has rank ${x.length}, a convolution needs 3 or more`);
  if (w.length !== x.length) {
    shapeError(n, `its weights have rank ${w.length} and its input ${x.length}`);
  }
  const group = intAttr(n, "group", 1);
  const [channels, outputs, perGroup] = [x[1]!, w[0]!, w[1]!];
  if (group < 1) modelError(n, `group ${group} is not possible`);
  if (channels >= 0 && perGroup >= 0 && channels !== perGroup * group) {
    shapeError(
      n,
      `its input has ${channels} channels, its weights take ${
        perGroup * group
      } (${perGroup} in each of ${group} groups)`,
    );
  }
  if (outputs >= 0 && outputs % group !== 0) {
    shapeError(n, `its ${outputs} output channels do not divide into ${group} groups`);
  }
  const size = x.slice(2);
  return [x[0]!, outputs, ...windowShape(n, size, windowOf(n, size, w.slice(2)))];
}

/** Checks that a bias has one value per output channel. */
export function checkBias(c: InferContext, i: number, channels: number): void {
  if (!given(c, i)) return;
  const b = c.need(i).shape;
  if (b.length !== 1 || (b[0]! >= 0 && channels >= 0 && b[0] !== channels)) {
    shapeError(c.node, `its bias has ${b.join("x")} values for ${channels} output channels`);
  }
}

function infer(c: InferContext): TensorType[] {
  const [x, w] = [c.need(0), c.need(1)];
  if (x.dtype !== w.dtype) modelError(c.node, `its input is ${x.dtype} and its weights ${w.dtype}`);
  const shape = convShape(c.node, x.shape, w.shape);
  checkBias(c, 2, shape[1]!);
  return [{ dtype: x.dtype, shape }];
}

/** Convolution: inputs X [N,C,...], W [M,C/group,...], optional B [M]. */
export const conv: OpDef = {
  op: "Conv",
  quant: convQuant,
  infer,
  place: place(
    onBpu("unstated", convOnBayes, convCpu, "sizes"),
    onBpu("no", convOnBernoulli2, convCpu),
    onBpu("unstated", convOnBayesE, convCpu, "sizes"),
  ),
  macs(c) {
    const w = c.need(1).shape;
    return elementCount(c.output(0).shape) * elementCount(w.slice(1));
  },
};
