/**
 * Which operators the float32 kernels run, and the planning of a whole graph.
 *
 * @module
 */

import { BpuError } from "../../errors.ts";
import type { Graph, Node } from "../../ir/graph.ts";
import { inferValues } from "../../ops/infer.ts";
import { lowerConv, lowerGemm, lowerMatMul } from "./conv.ts";
import {
  lowerBlocks,
  lowerConcat,
  lowerExpand,
  lowerGather,
  lowerIdentity,
  lowerPad,
  lowerReshape,
  lowerSlice,
  lowerSplit,
  lowerTranspose,
} from "./move.ts";
import { NotCovered, type Plan, Planner, type Value } from "./plan.ts";
import { lowerBatchNormalization, lowerBinary, lowerCalibration, lowerUnary } from "./pointwise.ts";
import {
  lowerLayerNormalization,
  lowerPool,
  lowerReduce,
  lowerResize,
  lowerSoftmax,
} from "./window.ts";

type Lower = (p: Planner, n: Node) => void;

const of = (lower: Lower, ...ops: string[]): [string, Lower][] => ops.map((op) => [op, lower]);

const lowerings = new Map<string, Lower>([
  ...of(lowerConv, "Conv", "ConvTranspose", "horizon HzPreprocess"),
  ...of(lowerGemm, "Gemm"),
  ...of(lowerMatMul, "MatMul"),
  ...of(lowerBinary, "Add", "Sub", "Mul", "Div", "Max", "Min", "PRelu"),
  ...of(lowerUnary, "Relu", "Clip", "LeakyRelu", "Elu", "Sigmoid", "HardSigmoid", "HardSwish"),
  ...of(lowerUnary, "Tanh", "Exp", "Neg", "Abs", "Sqrt", "Reciprocal", "Floor", "Ceil", "Erf"),
  ...of(lowerBatchNormalization, "BatchNormalization"),
  ...of(lowerPool, "MaxPool", "AveragePool"),
  ...of(lowerReduce, "GlobalAveragePool", "GlobalMaxPool", "ReduceMean", "ReduceMax"),
  ...of(lowerReduce, "ReduceMin", "ReduceSum"),
  ...of(lowerSoftmax, "Softmax"),
  ...of(lowerLayerNormalization, "LayerNormalization", "horizon HzRMSNormalization"),
  ...of(lowerResize, "Resize", "Upsample"),
  ...of(lowerReshape, "Reshape", "Flatten", "Squeeze", "Unsqueeze"),
  ...of(lowerIdentity, "Identity", "Dropout"),
  ...of(lowerTranspose, "Transpose"),
  ...of(lowerConcat, "Concat"),
  ...of(lowerSlice, "Slice"),
  ...of(lowerSplit, "Split"),
  ...of(lowerPad, "Pad"),
  ...of(lowerExpand, "Expand"),
  ...of(lowerBlocks, "DepthToSpace", "SpaceToDepth"),
  ...of(lowerGather, "Gather"),
  ...of(lowerUnary, "horizon HzSwish", "horizon HzGelu", "horizon HzMish"),
  ...of(lowerCalibration, "horizon HzCalibration"),
]);

/** Operators with a kernel, by name (those of the `horizon` domain with that word before). */
export const coveredOperators: ReadonlySet<string> = new Set(lowerings.keys());

/** A plan, or why there is none. */
export type Planned = { readonly plan: Plan } | { readonly reason: string };

/**
 * Plans a graph with static shapes. `fetch` names the tensors that will be looked at; without it the
 * graph's outputs. Nothing is allocated.
 */
export function planGraph(graph: Graph, fetch?: readonly string[]): Planned {
  try {
    const { graph: typed, values } = inferValues(graph);
    const asked = new Set(fetch ?? graph.outputs.map((o) => o.name));
    const p = new Planner(typed, values, asked);
    const inputs = new Map<string, Value>();
    for (const { name } of typed.inputs) {
      const v = p.make(p.shapeOf(name), p.preferred(name));
      p.define(name, v);
      inputs.set(name, v);
    }
    const needed = reachable(typed, asked, values);
    for (const n of typed.nodes) {
      if (!needed.has(n)) continue;
      if (!p.isAbsorbed(n)) {
        const lower = lowerings.get(n.domain === "" ? n.op : `${n.domain} ${n.op}`);
        if (lower === undefined) throw new NotCovered(`there is no kernel for ${n.op}`);
        lower(p, n);
      }
      p.finish(n);
    }
    return { plan: p.plan(inputs) };
  } catch (e) {
    if (e instanceof NotCovered || e instanceof BpuError) return { reason: e.message };
    throw e;
  }
}

/** The nodes that compute what is asked for; those with a known value are not computed. */
function reachable(
  graph: Graph,
  asked: ReadonlySet<string>,
  values: ReadonlyMap<string, unknown>,
): Set<Node> {
  const wanted = new Set(asked), needed = new Set<Node>();
  for (const n of [...graph.nodes].reverse()) {
    if (n.outputs.every((o) => o === "" || values.has(o))) continue;
    if (!n.outputs.some((o) => wanted.has(o))) continue;
    needed.add(n);
    for (const t of n.inputs) wanted.add(t);
  }
  return needed;
}
