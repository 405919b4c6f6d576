/**
 * Finds tensors that hold no negative integer (after a Relu, a pooling of one, a table of Sigmoid): the
 * convolutions that read them may use the faster dot product.
 *
 * @module
 */

import type { Graph, Node } from "../ir/graph.ts";
import { attr } from "../ir/graph.ts";
import { opOf } from "../ops/registry.ts";

function gives(n: Node, graph: Graph, known: ReadonlySet<string>): boolean {
  const def = opOf(n);
  const qmin = n.attrs.get("qmin");
  if (qmin?.type === "int" && qmin.value >= 0) return true;
  if (def?.nonNegative?.((i) => graph.constants.get(n.inputs[i] ?? ""))) return true;
  // Standard operators that run on integers only move them.
  const keeps = def?.keepsSign === true || n.domain === "" && def?.run !== undefined;
  return keeps && n.inputs.every((t) => t === "" || known.has(t) || isSafeConstant(graph, t));
}

/** Indices, shapes and fillers that bring no negative value in. */
function isSafeConstant(graph: Graph, t: string): boolean {
  const k = graph.constants.get(t);
  if (k === undefined) return false;
  return k.dtype !== "int8" && k.dtype !== "int16" ||
    Array.from(k.data as Int8Array).every((v) => v >= 0);
}

/** Names of the int8 tensors of a quantized graph that are never negative. */
export function nonNegativeTensors(graph: Graph): Set<string> {
  const known = new Set<string>();
  for (const n of graph.nodes) {
    if (!gives(n, graph, known)) continue;
    for (const t of n.outputs) if (graph.types.get(t)?.dtype === "int8") known.add(t);
  }
  return known;
}

/** Marks the nodes whose first input is never negative with `non_negative` = 1. */
export function markNonNegative(graph: Graph): Graph {
  const known = nonNegativeTensors(graph);
  const nodes = graph.nodes.map((n) => {
    if (!known.has(n.inputs[0] ?? "") || opOf(n)?.packs?.includes(1) !== true) return n;
    return { ...n, attrs: new Map([...n.attrs, ["non_negative", attr.int(1)] as const]) };
  });
  return { ...graph, nodes };
}
