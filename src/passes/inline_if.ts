/**
 * An If whose condition is known is replaced by the branch that it takes.
 *
 * @module
 */

import { BpuError } from "../errors.ts";
import { type Graph, type Node, node } from "../ir/graph.ts";
import { subgraphsOf } from "../ir/order.ts";
import { UnknownShape } from "../ops/context.ts";
import { inferTypes } from "../ops/infer.ts";
import { scalarOf } from "./match.ts";
import type { Pass, Reason } from "./pass.ts";
import { Rewriter } from "./rewriter.ts";

/** The branch that an If takes, or why that is not known. */
function branchOf(w: Rewriter, n: Node): Graph | string {
  const condition = scalarOf(w, n.inputs[0]);
  if (condition === undefined) return "its condition is not constant";
  const key = condition !== 0 ? "then_branch" : "else_branch";
  const a = n.attrs.get(key);
  if (a?.type !== "graph") {
    throw new BpuError("model", `attribute ${key} must be a graph`, { node: n.name, op: n.op });
  }
  const nested = a.value.nodes.some((m) =>
    [...m.attrs.values()].some((v) => subgraphsOf(v).length > 0)
  );
  return nested ? "its branch has subgraphs of its own" : a.value;
}

/** Puts the branch in the place of the If; its names get the If's in front where they are taken. */
function inline(w: Rewriter, n: Node, branch: Graph): void {
  const names = new Map<string, string>();
  for (const [name, t] of branch.constants) names.set(name, w.store(name, t));
  for (const m of branch.nodes) {
    for (const o of m.outputs) if (o !== "") names.set(o, w.tensorName(o));
  }
  const now = (name: string) => names.get(name) ?? name;
  const nodes: Node[] = branch.nodes.map((m) => ({
    ...m,
    name: w.nodeName(m.name),
    inputs: m.inputs.map(now),
    outputs: m.outputs.map(now),
  }));
  n.outputs.forEach((out, i) => {
    if (out === "") return;
    const source = now(branch.outputs[i]!.name);
    nodes.push(node("Identity", w.nodeName(`${n.name}_${i}`), [source], [out]));
  });
  w.replace([n], nodes);
}

/** If with a constant condition becomes the nodes of its branch. */
export const inlineIf: Pass = {
  name: "inline_if",
  doc: `If(true){ a -> Op -> b }   =>   a -> Op -> b`,
  run(graph) {
    const w = new Rewriter(graph);
    const reasons: Reason[] = [];
    let fired = 0;
    for (const n of graph.nodes) {
      if (n.op !== "If" || n.domain !== "") continue;
      const branch = branchOf(w, n);
      if (typeof branch === "string") reasons.push({ node: n.name, why: branch });
      else {
        inline(w, n, branch);
        fired++;
      }
    }
    if (fired === 0) return { graph, fired, reasons };
    try {
      return { graph: inferTypes(w.build(), { declared: "fallback" }), fired, reasons };
    } catch (e) {
      if (!(e instanceof UnknownShape)) throw e;
      const why = `the shapes in its branch are not known: ${e.message}`;
      const first = graph.nodes.find((n) => n.op === "If")!;
      return { graph, fired: 0, reasons: [...reasons, { node: first.name, why }] };
    }
  },
};
