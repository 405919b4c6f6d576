/**
 * Rows of the node table from a conversion.
 *
 * @module
 */

import { opOf } from "../ops/registry.ts";
import type { NodeRow } from "../report/tables.ts";
import type { Conversion } from "./convert.ts";
import type { Proof } from "./prove.ts";

/** Row with the float node behind it. */
export interface SourcedRow extends NodeRow {
  /** Float node of the optimized graph; absent for nodes that quantization added. */
  readonly source?: string;
  /** Why a CPU node is there, and what would move it. */
  readonly reason?: string;
  readonly advice?: string;
}

/** One row per node of the quantized graph, Quantize and Dequantize left out, as in the original. */
export function nodeRows(c: Conversion, proof?: Proof): SourcedRow[] {
  const subgraph = new Map<string, number>();
  for (const s of c.program.segments) {
    if (s.kind === "bpu") { for (const n of s.nodes) subgraph.set(n.name, s.id); }
  }
  const graph = c.quantized.graph;
  const type = (t: string | undefined) => t === undefined ? undefined : graph.types.get(t)?.dtype;
  const seen = new Set<string>();
  return graph.nodes.flatMap((n): SourcedRow[] => {
    const source = c.quantized.sources.get(n.name);
    if (source === undefined) return [];
    const id = subgraph.get(n.name);
    const first = !seen.has(source);
    seen.add(source);
    // Cosine and threshold belong to the node that carries the float node's name.
    const main = n.name === source && first;
    const group = c.layout.groups.get(source);
    const input = group?.inputs[0];
    const threshold = input === undefined ? undefined : c.plan.tensors.get(c.layout.root(input));
    const p = c.plan.nodes.get(source);
    const cosine = main || n.name === source ? proof?.nodes.get(source)?.cosine : undefined;
    const row: SourcedRow = {
      name: n.name,
      on: id === undefined ? "CPU" : "BPU",
      ...(id === undefined ? {} : { subgraph: id }),
      type: opOf(n)?.table ?? n.op,
      ...(cosine === undefined ? {} : { cosine }),
      ...(n.name !== source || threshold === undefined ? {} : { threshold: threshold.threshold }),
      dtype: id === undefined
        ? `${type(n.inputs.find((t) => t !== "")) ?? "float"}/${type(n.outputs[0]) ?? "float"}`
          .replaceAll("float32", "float")
        : `${type(n.inputs[0])}/${type(n.outputs[0])}`,
      source,
      ...(id !== undefined || p?.reason === undefined ? {} : { reason: p.reason }),
      ...(id !== undefined || p?.advice === undefined ? {} : { advice: p.advice }),
    };
    return [row];
  });
}
