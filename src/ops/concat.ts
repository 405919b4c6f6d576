import { intAttr } from "../ir/graph.ts";
import type { Tensor, TensorType } from "../ir/tensor.ts";
import { axisOf, unify } from "./args.ts";
import { modelError } from "./context.ts";
import { concat as join } from "./nd.ts";
import { type InferContext, type OpDef, shapeError } from "./op.ts";
import { channelsAtMost, onBpu, place, rule } from "./rules.ts";
import { concatQuant } from "./lower/movement.ts";
import { runConcat } from "./movement_run.ts";

function infer(c: InferContext): TensorType[] {
  const n = c.node.inputs.length;
  if (n === 0) modelError(c.node, "it has no inputs");
  const { dtype, shape } = c.need(0);
  const axis = axisOf(c.node, intAttr(c.node, "axis"), shape.length);
  const out = [...shape];
  for (let i = 1; i < n; i++) {
    const t = c.need(i);
    if (t.dtype !== dtype) shapeError(c.node, `inputs are ${dtype} and ${t.dtype}`);
    if (t.shape.length !== shape.length) {
      shapeError(c.node, `inputs have rank ${shape.length} and ${t.shape.length}`);
    }
    for (let d = 0; d < out.length; d++) {
      const a = out[d]!;
      const b = t.shape[d]!;
      if (d === axis) out[d] = a < 0 || b < 0 ? -1 : a + b;
      else out[d] = unify(c.node, a, b, `dimension ${d} of input 0 and input ${i}`);
    }
  }
  return [{ dtype, shape: out }];
}

const notBatch = rule("concat axis cannot be N", (c) => {
  const axis = axisOf(c.node, intAttr(c.node, "axis"), c.need(0).shape.length);
  return axis === 0 ? "the concat axis is N" : undefined;
});

/** Inputs one after the other along an axis. */
export const concat: OpDef = {
  op: "Concat",
  quant: concatQuant,
  run: runConcat,
  place: place(
    onBpu("in+out", [notBatch], [], "rank4"),
    onBpu("no", [channelsAtMost(2048, "input and output C <= 2048")], []),
  ),
  infer,
  fold(c) {
    const parts: Tensor[] = [];
    for (let i = 0; i < c.node.inputs.length; i++) {
      const t = c.constant(i);
      if (t === undefined) return undefined;
      parts.push(t);
    }
    const [type] = infer(c);
    return [join(parts, axisOf(c.node, intAttr(c.node, "axis"), type!.shape.length))];
  },
};
