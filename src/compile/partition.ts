/**
 * Cuts a quantized graph into kernel segments and CPU segments that run one after another.
 *
 * @module
 */

import type { Graph, Node, Port } from "../ir/graph.ts";
import { HORIZON, mustType } from "../ir/graph.ts";
import { usesOf } from "../ir/order.ts";
import type { Tensor } from "../ir/tensor.ts";
import { opOf } from "../ops/registry.ts";
import type { Segment } from "./program.ts";

/**
 * Whether kernels run a node: horizon operators with an integer evaluation, and data movement on
 * tensors that such operators produce.
 */
function kernelNodes(graph: Graph): Set<Node> {
  const set = new Set<Node>();
  const integer = new Set<string>(
    graph.inputs.filter((p) => p.dtype === "int8" || p.dtype === "int16").map((p) => p.name),
  );
  for (const n of graph.nodes) {
    const def = opOf(n);
    if (def?.run === undefined) continue;
    const reads = n.inputs.some((t) => integer.has(t));
    if (n.domain !== HORIZON && !reads) continue;
    set.add(n);
    for (const t of n.outputs) if (graph.types.get(t)?.dtype !== "float32") integer.add(t);
  }
  return set;
}

/** Segments in execution order. */
export function partition(graph: Graph): Segment[] {
  const kernels = kernelNodes(graph);
  const phaseOfTensor = new Map<string, { phase: number; kernel: boolean }>();
  const phases: { cpu: Node[]; bpu: Node[] }[] = [];
  for (const n of graph.nodes) {
    const kernel = kernels.has(n);
    let phase = 0;
    for (const t of usesOf(n)) {
      const p = phaseOfTensor.get(t);
      if (p !== undefined) phase = Math.max(phase, p.phase + (p.kernel === kernel ? 0 : 1));
    }
    for (const t of n.outputs) phaseOfTensor.set(t, { phase, kernel });
    while (phases.length <= phase) phases.push({ cpu: [], bpu: [] });
    phases[phase]![kernel ? "bpu" : "cpu"].push(n);
  }

  const readBy = new Map<string, Set<Node>>();
  for (const n of graph.nodes) {
    for (const t of usesOf(n)) {
      const set = readBy.get(t) ?? new Set();
      set.add(n);
      readBy.set(t, set);
    }
  }
  const graphOutputs = new Set(graph.outputs.map((p) => p.name));
  const segments: Segment[] = [];
  let id = 0;
  for (const p of phases) {
    for (const [kind, nodes] of [["bpu", p.bpu], ["cpu", p.cpu]] as const) {
      if (nodes.length === 0) continue;
      const inside = new Set(nodes);
      const made = new Set(nodes.flatMap((n) => n.outputs));
      const inputs = new Set<string>();
      for (const n of nodes) {
        for (const t of usesOf(n)) {
          if (t !== "" && !made.has(t) && !graph.constants.has(t)) inputs.add(t);
        }
      }
      const outputs = [...made].filter((t) =>
        t !== "" && (graphOutputs.has(t) || [...readBy.get(t) ?? []].some((n) => !inside.has(n)))
      );
      if (kind === "bpu") {
        // Integer tensors stay in the arena; only what other engines read goes out and in.
        const outside = (t: string) =>
          graphOutputs.has(t) || [...readBy.get(t) ?? []].some((n) => !kernels.has(n));
        const enters = [...inputs].filter((t) => phaseOfTensor.get(t)?.kernel !== true);
        segments.push({ kind, id: id++, nodes, inputs: enters, outputs: outputs.filter(outside) });
      } else {
        segments.push({
          kind,
          graph: cpuGraph(graph, nodes, [...inputs], outputs, segments.length),
        });
      }
    }
  }
  return segments;
}

function cpuGraph(
  graph: Graph,
  nodes: readonly Node[],
  inputs: readonly string[],
  outputs: readonly string[],
  index: number,
): Graph {
  const constants = new Map<string, Tensor>();
  const port = (name: string): Port => ({ name, ...mustType(graph, name) });
  for (const n of nodes) {
    for (const t of usesOf(n)) {
      const k = graph.constants.get(t);
      if (k !== undefined) constants.set(t, k);
    }
  }
  const types = new Map(
    nodes.flatMap((n) => n.outputs).filter((t) => graph.types.has(t))
      .map((t) => [t, graph.types.get(t)!]),
  );
  return {
    name: `${graph.name}_cpu_${index}`,
    opset: graph.opset,
    domains: graph.domains,
    nodes,
    inputs: inputs.map(port),
    outputs: outputs.map(port),
    constants,
    types,
    metadata: new Map(),
  };
}
