import type { Graph } from "../ir/graph.ts";
import type { Tensor, TensorType } from "../ir/tensor.ts";
import { modelError } from "./context.ts";
import { shapeError } from "./op.ts";
import type { InferContext, OpDef } from "./op.ts";
import { bodyTypes, commonType, graphAttr } from "./subgraph.ts";
import { everywhere, notIntegrated } from "./rules.ts";

/** The branch that runs, where the condition is a constant. */
function chosen(c: InferContext): Graph | undefined {
  const condition = c.constant(0);
  if (condition === undefined) return undefined;
  if (condition.data.length !== 1) modelError(c.node, "the condition is not one value");
  return graphAttr(c, condition.data[0] ? "then_branch" : "else_branch");
}

function types(c: InferContext, g: Graph): TensorType[] {
  const all = bodyTypes(c, g, []);
  if (all.length !== c.node.outputs.length) {
    shapeError(c.node, `graph ${g.name} has ${all.length} outputs, not ${c.node.outputs.length}`);
  }
  return all;
}

/** One of two subgraphs. */
export const ifOp: OpDef = {
  op: "If",
  place: everywhere(notIntegrated()),
  infer(c) {
    const one = chosen(c);
    if (one !== undefined) return types(c, one);
    const a = types(c, graphAttr(c, "then_branch"));
    const b = types(c, graphAttr(c, "else_branch"));
    return a.map((t, i) => commonType(c, t, b[i]!));
  },
  fold(c) {
    const g = chosen(c);
    if (g === undefined) return undefined;
    const values: Tensor[] = [];
    for (const { name } of g.outputs) {
      const v = g.constants.get(name);
      if (v === undefined) return undefined;
      values.push(v);
    }
    return values;
  },
};
