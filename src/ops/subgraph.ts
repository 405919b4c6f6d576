/**
 * Types of control flow: what the branches and bodies of If, Loop and Scan agree on.
 *
 * @module
 */

import type { Graph } from "../ir/graph.ts";
import type { TensorType } from "../ir/tensor.ts";
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

/**
 * Types of values that a body takes and returns: the initial ones, with dimensions that change from
 * one round to the next unknown. `round` gives the body's results for given states.
 */
export function carriedTypes(
  c: InferContext,
  initial: readonly TensorType[],
  round: (state: readonly TensorType[]) => readonly TensorType[],
): TensorType[] {
  let state = [...initial];
  // Each round turns at least one dimension unknown, or is the last.
  for (;;) {
    const next = round(state);
    const merged = state.map((s, i) => commonType(c, s, next[i]!));
    const stable = merged.every((m, i) => m.shape.every((d, j) => d === state[i]!.shape[j]));
    state = merged;
    if (stable) return state;
  }
}
