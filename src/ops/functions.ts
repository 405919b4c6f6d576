/**
 * Function definitions that a graph needs in its file.
 *
 * @module
 */

import { callsOf } from "../ir/function.ts";
import type { FunctionDef } from "../ir/function.ts";
import type { Graph } from "../ir/graph.ts";
import { HORIZON } from "../ir/graph.ts";
import { opNamed } from "./registry.ts";

/** Bodies of all horizon operators of a graph, nested calls included; sorted by name. */
export function functionsOf(graph: Graph): FunctionDef[] {
  const found = new Map<string, FunctionDef>();
  const visit = (op: string) => {
    const body = opNamed(op, HORIZON)?.body;
    if (body === undefined || found.has(op)) return;
    found.set(op, body);
    for (const inner of callsOf(body)) visit(inner);
  };
  for (const n of graph.nodes) if (n.domain === HORIZON) visit(n.op);
  return [...found.values()].sort((a, b) => a.name < b.name ? -1 : 1);
}
