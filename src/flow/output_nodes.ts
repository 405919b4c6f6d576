/**
 * `output_nodes`: the outputs of named nodes become the outputs of the model.
 *
 * @module
 */

import { BpuError } from "../errors.ts";
import type { Graph, Port } from "../ir/graph.ts";
import { liveNodes } from "../ir/order.ts";
import { inferTypes } from "../ops/infer.ts";

/** Names that look like a name, nearest first. */
function similar(name: string, all: readonly string[]): string[] {
  const lower = name.toLowerCase();
  return all.filter((n) => {
    const other = n.toLowerCase();
    return other.includes(lower) || lower.includes(other);
  }).slice(0, 3);
}

/**
 * Cuts a graph at nodes.
 *
 * @param names node names, or names of tensors; empty: the graph stays as it is
 * @throws BpuError("config") for a name that the graph does not have
 */
export function cutAtNodes(graph: Graph, names: readonly string[]): Graph {
  if (names.length === 0) return graph;
  const typed = inferTypes(graph);
  const byName = new Map(graph.nodes.map((n) => [n.name, n]));
  const tensors = new Set(graph.nodes.flatMap((n) => n.outputs));
  const outputs: Port[] = [];
  for (const name of names) {
    const n = byName.get(name);
    const made = n?.outputs.filter((t) => t !== "") ?? (tensors.has(name) ? [name] : []);
    if (made.length === 0) {
      const near = similar(name, [...byName.keys()]);
      throw new BpuError("config", `output_nodes names '${name}', which the model does not have`, {
        key: "model_parameters.output_nodes",
        hint: near.length > 0
          ? `Did you mean ${near.join(" or ")}?`
          : "Use names of nodes as hb_mapper checker lists them.",
      });
    }
    for (const t of made) {
      if (outputs.some((p) => p.name === t)) continue;
      const type = typed.types.get(t);
      if (type === undefined) {
        throw new BpuError("shape", `the shape behind output node ${name} is not known`, {
          tensor: t,
          key: "model_parameters.output_nodes",
        });
      }
      outputs.push({ name: t, dtype: type.dtype, shape: type.shape });
    }
  }
  const nodes = liveNodes(graph.nodes, outputs.map((p) => p.name));
  const kept = new Set(nodes.flatMap((n) => n.outputs));
  return {
    ...graph,
    nodes,
    outputs,
    types: new Map([...graph.types].filter(([t]) => kept.has(t) || !tensors.has(t))),
  };
}
