/**
 * Small graphs for tests.
 *
 * @module
 */

import type { Graph, Node, Port } from "../ir/graph.ts";
import type { Tensor } from "../ir/tensor.ts";
import { elementCount, f32 } from "../ir/tensor.ts";
import { bayes } from "../march/bayes.ts";
import { inferTypes } from "../ops/infer.ts";
import { layoutOf } from "./layout.ts";
import { place } from "./place.ts";
import type { PlaceOptions } from "./place.ts";
import type { Plan, TensorPlan } from "./plan.ts";

/** A float graph with inferred types; outputs by name. */
export function graphOf(
  nodes: readonly Node[],
  inputs: Readonly<Record<string, readonly number[]>>,
  outputs: readonly string[],
  constants: Readonly<Record<string, Tensor>> = {},
): Graph {
  const bare: Graph = {
    name: "test",
    opset: 17,
    domains: new Map(),
    nodes,
    inputs: Object.entries(inputs).map(([name, shape]): Port => ({
      name,
      dtype: "float32",
      shape,
    })),
    outputs: [],
    constants: new Map(Object.entries(constants)),
    types: new Map(),
    metadata: new Map(),
  };
  const { types } = inferTypes(bare);
  return { ...bare, types, outputs: outputs.map((name) => ({ name, ...types.get(name)! })) };
}

/** Deterministic values in -size..size. */
export function ramp(shape: readonly number[], size = 1): Tensor {
  const n = elementCount(shape);
  return f32(shape, Array.from({ length: n }, (_, i) => size * Math.sin(1 + i * 1.7)));
}

/** Places a graph and gives every needed tensor the threshold of `of` (1 by default). */
export function planFor(
  graph: Graph,
  options: PlaceOptions = {},
  of: (tensor: string) => Partial<TensorPlan> = () => ({}),
): Plan {
  const nodes = place(graph, bayes, options);
  const layout = layoutOf(graph, nodes, bayes);
  return {
    march: "bayes",
    nodes,
    tensors: new Map([...layout.needed].map((t): [string, TensorPlan] => [t, {
      dtype: "int8",
      threshold: 1,
      zero: 0,
      method: "test",
      ...of(t),
    }])),
    weights: new Map(),
  };
}
