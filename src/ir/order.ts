/**
 * What a node depends on, and the orders that follow from it. Nodes with subgraphs (If, Loop, Scan)
 * also read tensors of the enclosing graph by name; those count as uses everywhere here.
 *
 * @module
 */

import { BpuError } from "../errors.ts";
import type { Attr, Graph, Node } from "./graph.ts";

/** The subgraphs held by an attribute. */
export function subgraphsOf(a: Attr): readonly Graph[] {
  return a.type === "graph" ? [a.value] : a.type === "graphs" ? a.value : [];
}

/** Names that a graph uses as a subgraph but does not define itself. */
export function freeNames(g: Graph): Set<string> {
  const own = new Set<string>(g.constants.keys());
  for (const p of g.inputs) own.add(p.name);
  for (const n of g.nodes) for (const o of n.outputs) own.add(o);
  const free = new Set<string>();
  for (const n of g.nodes) for (const name of usesOf(n)) if (!own.has(name)) free.add(name);
  for (const p of g.outputs) if (!own.has(p.name)) free.add(p.name);
  return free;
}

/** Domains of the operators of a graph and its subgraphs, without the default one. */
export function usedDomains(g: Graph, into: Set<string> = new Set()): Set<string> {
  for (const n of g.nodes) {
    if (n.domain !== "") into.add(n.domain);
    for (const a of n.attrs.values()) for (const s of subgraphsOf(a)) usedDomains(s, into);
  }
  return into;
}

/** Every tensor a node reads: its inputs, then what its subgraphs capture from outside. */
export function usesOf(n: Node): readonly string[] {
  const uses = n.inputs.filter((name) => name !== "");
  for (const a of n.attrs.values()) for (const g of subgraphsOf(a)) uses.push(...freeNames(g));
  return uses;
}

/** Nodes that read each tensor, themselves or in a subgraph; a node appears once for each use. */
export function readersOf(g: Graph): Map<string, Node[]> {
  const map = new Map<string, Node[]>();
  for (const n of g.nodes) {
    for (const t of usesOf(n)) {
      const list = map.get(t);
      if (list === undefined) map.set(t, [n]);
      else list.push(n);
    }
  }
  return map;
}

/** The nodes that lead to at least one of `outputs`, in the order given. */
export function liveNodes(nodes: readonly Node[], outputs: Iterable<string>): Node[] {
  const by = new Map<string, Node>();
  for (const n of nodes) for (const o of n.outputs) if (o !== "") by.set(o, n);
  const live = new Set<Node>();
  const todo = [...outputs];
  for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
    const n = by.get(name);
    if (n === undefined || live.has(n)) continue;
    live.add(n);
    for (const use of usesOf(n)) todo.push(use);
  }
  return nodes.filter((n) => live.has(n));
}

/**
 * Sorts nodes topologically. Nodes that are already in order stay where they are. Names that no
 * node produces are not looked at. Throws `model` when there is a cycle, naming a node on it.
 */
export function sortNodes(nodes: readonly Node[]): Node[] {
  const by = new Map<string, Node>();
  for (const n of nodes) for (const o of n.outputs) if (o !== "") by.set(o, n);
  const sorted: Node[] = [];
  const state = new Map<Node, "open" | "done">();
  for (const root of nodes) {
    if (state.has(root)) continue;
    // A stack of our own: graphs are deeper than the call stack.
    const stack: { node: Node; uses: readonly string[]; next: number }[] = [];
    const open = (node: Node) => {
      state.set(node, "open");
      stack.push({ node, uses: usesOf(node), next: 0 });
    };
    open(root);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      if (top.next === top.uses.length) {
        state.set(top.node, "done");
        sorted.push(top.node);
        stack.pop();
        continue;
      }
      const before = by.get(top.uses[top.next++]!);
      if (before === undefined) continue;
      const seen = state.get(before);
      if (seen === undefined) open(before);
      else if (seen === "open") {
        throw new BpuError("model", "the graph has a cycle: the node depends on its own output", {
          node: before.name,
          op: before.op,
        });
      }
    }
  }
  return sorted;
}
