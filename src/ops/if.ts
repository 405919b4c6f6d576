import { BpuError } from "../errors.ts";
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

/**
 * Types of a branch that may never run: exporters write one branch per sample rate or rank, and the shapes
 * of this model's inputs fit only the one that runs.
 */
function attempt(c: InferContext, key: string): TensorType[] | BpuError {
  try {
    return types(c, graphAttr(c, key));
  } catch (e) {
    if (e instanceof BpuError && (e.code === "model" || e.code === "shape")) return e;
    throw e;
  }
}

/** One of two subgraphs. */
export const ifOp: OpDef = {
  op: "If",
  place: everywhere(notIntegrated()),
  infer(c) {
    const one = chosen(c);
    if (one !== undefined) return types(c, one);
    const a = attempt(c, "then_branch");
    const b = attempt(c, "else_branch");
    if (a instanceof BpuError && b instanceof BpuError) throw a;
    if (a instanceof BpuError) return b as TensorType[];
    if (b instanceof BpuError) return a;
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
