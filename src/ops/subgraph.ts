/**
 * Types of control flow: what the branches and bodies of If, Loop and Scan agree on.
 *
 * @module
 */

import type { Graph } from "../ir/graph.ts";
import { sameShape, type TensorType } from "../ir/tensor.ts";
import { unknownDims } from "./args.ts";
import { modelError, subgraphTypes, unknownShape } from "./context.ts";
import { type InferContext, shapeError } from "./op.ts";

/** A subgraph attribute. */
export function graphAttr(c: InferContext, key: string): Graph {
  const a = c.node.attrs.get(key);
  return a?.type === "graph" ? a.value : modelError(c.node, `attribute ${key} must be a graph`);
}

/** Output types of a subgraph; all of them must be known. */
export function bodyTypes(
  c: InferContext,
  g: Graph,
  inputs: readonly (TensorType | undefined)[],
): TensorType[] {
  return subgraphTypes(c, g, inputs).map((t, i) =>
    t ?? unknownShape(c.node, `the type of output ${i} of graph ${g.name} is not known`)
  );
}

/** What two types have in common: dimensions that differ are unknown. */
export function commonType(c: InferContext, a: TensorType, b: TensorType): TensorType {
  if (a.dtype !== b.dtype) shapeError(c.node, `an output is ${a.dtype} or ${b.dtype}`);
  if (a.shape.length !== b.shape.length) {
    unknownShape(c.node, `an output has rank ${a.shape.length} or ${b.shape.length}`);
  }
  return { dtype: a.dtype, shape: a.shape.map((d, i) => d === b.shape[i] ? d : -1) };
}

/** How deep loops may be nested: each level infers its body a few times. */
const MAX_LOOPS = 6;

const depths = new WeakMap<Graph, number>();

/** Levels of loops within a graph. */
function loopDepth(g: Graph): number {
  const known = depths.get(g);
  if (known !== undefined) return known;
  let depth = 0;
  for (const n of g.nodes) {
    for (const a of n.attrs.values()) {
      if (a.type !== "graph") continue;
      depth = Math.max(depth, loopDepth(a.value) + (n.op === "If" ? 0 : 1));
    }
  }
  depths.set(g, depth);
  return depth;
}

/** Rounds in which single dimensions are found to change; after them all count as changing. */
const ROUNDS = 2;

/**
 * Types of values that a body takes and returns: the initial ones, with dimensions that change from
 * one round to the next unknown. `round` gives the body's results for given states.
 */
export function carriedTypes(
  c: InferContext,
  body: Graph,
  initial: readonly TensorType[],
  round: (state: readonly TensorType[]) => readonly TensorType[],
): TensorType[] {
  if (loopDepth(body) >= MAX_LOOPS) {
    unknownShape(c.node, `loops are nested over ${MAX_LOOPS} deep`);
  }
  let state = [...initial];
  for (let i = 0;; i++) {
    const next = round(state);
    const merged = state.map((s, k) => commonType(c, s, next[k]!));
    const stable = merged.every((m, k) => sameShape(m.shape, state[k]!.shape));
    if (stable) return merged;
    state = i < ROUNDS
      ? merged
      : merged.map((m) => ({ dtype: m.dtype, shape: unknownDims(m.shape.length) }));
  }
}
