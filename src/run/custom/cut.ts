/**
 * Cuts a graph at its custom nodes: what lies between them runs in the float engine.
 *
 * @module
 */

import type { Graph, Node, Port } from "../../ir/graph.ts";
import { mustType } from "../../ir/graph.ts";
import { usesOf } from "../../ir/order.ts";
import type { Tensor, TensorType } from "../../ir/tensor.ts";
import { isCustom } from "./operators.ts";

/** A part of a graph; parts run one after another. */
export type Part =
  | { readonly kind: "float"; readonly graph: Graph }
  | { readonly kind: "custom"; readonly node: Node };

/**
 * The parts in execution order.
 *
 * @param graph with the types of all tensors
 * @param wanted tensors that the caller reads
 */
export function cutAtCustom(graph: Graph, wanted: ReadonlySet<string>): Part[] {
  // Phase: how many changes between float and custom nodes lie before a node.
  const made = new Map<string, { phase: number; custom: boolean }>();
  const phases: { float: Node[]; custom: Node[] }[] = [];
  for (const n of graph.nodes) {
    const custom = isCustom(n);
    let phase = 0;
    for (const t of usesOf(n)) {
      const p = made.get(t);
      if (p === undefined) continue;
      // Float nodes of a phase run before its custom nodes.
      phase = Math.max(phase, p.custom ? p.phase + 1 : p.phase);
    }
    for (const t of n.outputs) if (t !== "") made.set(t, { phase, custom });
    while (phases.length <= phase) phases.push({ float: [], custom: [] });
    phases[phase]![custom ? "custom" : "float"].push(n);
  }
  const parts: Part[] = [];
  for (const [i, p] of phases.entries()) {
    const part = floatPart(graph, p.float, wanted, i);
    if (part !== undefined) parts.push({ kind: "float", graph: part });
    for (const n of p.custom) parts.push({ kind: "custom", node: n });
  }
  return parts;
}

/**
 * Some nodes of a graph as a graph of their own: its outputs are what the others read or the caller
 * wants. Undefined when there are none.
 */
export function floatPart(
  graph: Graph,
  nodes: readonly Node[],
  wanted: ReadonlySet<string>,
  index: number,
): Graph | undefined {
  const inside = new Set(nodes);
  const own = new Set(nodes.flatMap((n) => n.outputs).filter((t) => t !== ""));
  const outside = new Set<string>();
  for (const n of graph.nodes) {
    if (!inside.has(n)) { for (const t of usesOf(n)) if (own.has(t)) outside.add(t); }
  }
  const outputs = [...own].filter((t) => outside.has(t) || wanted.has(t));
  if (outputs.length === 0) return undefined;
  const inputs = new Set<string>();
  const constants = new Map<string, Tensor>();
  for (const t of nodes.flatMap(usesOf)) {
    const k = graph.constants.get(t);
    if (k !== undefined) constants.set(t, k);
    else if (!own.has(t)) inputs.add(t);
  }
  const port = (name: string): Port => {
    const { dtype, shape } = mustType(graph, name);
    return { name, dtype, shape };
  };
  const types = new Map<string, TensorType>();
  for (const t of own) {
    const type = graph.types.get(t);
    if (type !== undefined) types.set(t, type);
  }
  return {
    name: `${graph.name}_part_${index}`,
    opset: graph.opset,
    domains: graph.domains,
    nodes,
    inputs: [...inputs].map(port),
    outputs: outputs.map(port),
    constants,
    types,
    metadata: new Map(),
  };
}
