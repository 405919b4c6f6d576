/**
 * Nodes that compute the same thing become one.
 *
 * @module
 */

import type { Attr, Node } from "../ir/graph.ts";
import { subgraphsOf } from "../ir/order.ts";
import { bytesOfTensor, type Tensor } from "../ir/tensor.ts";
import { RANDOM } from "./fold_constants.ts";
import type { Pass, Reason } from "./pass.ts";
import { Rewriter } from "./rewriter.ts";

/** Constants up to this size are compared by value. */
const MAX_COMPARED_BYTES = 4096;

function tensorKey(t: Tensor): string | undefined {
  if (Array.isArray(t.data)) return undefined;
  const bytes = bytesOfTensor(t);
  if (bytes.length > MAX_COMPARED_BYTES) return undefined;
  return `${t.dtype}[${t.shape.join()}]${bytes.join()}`;
}

/** An attribute as text; undefined when it cannot be compared. */
function attrKey(a: Attr): string | undefined {
  if (subgraphsOf(a).length > 0 || a.type === "tensors") return undefined;
  if (a.type === "tensor") return tensorKey(a.value);
  return `${a.type}:${JSON.stringify(a.value)}`;
}

function keyOf(n: Node, constantKeys: ReadonlyMap<string, string>): string | undefined {
  const attrs: string[] = [];
  for (const [name, a] of [...n.attrs].sort(([a], [b]) => a < b ? -1 : 1)) {
    const key = attrKey(a);
    if (key === undefined) return undefined;
    attrs.push(`${name}=${key}`);
  }
  const inputs = n.inputs.map((i) => constantKeys.get(i) ?? JSON.stringify(i));
  const given = n.outputs.map((o) => o === "" ? 0 : 1).join("");
  return [n.domain, n.op, given, ...inputs, "|", ...attrs].join(" ");
}

/**
 * Of nodes with equal operators, attributes and inputs the first one stays. Where the later one makes an
 * output of the model and the first does not, the first takes over that name.
 */
export const commonSubexpressions: Pass = {
  name: "common_subexpressions",
  doc: `x -> Op -> a, x -> Op -> b   =>   x -> Op -> a`,
  run(graph) {
    const w = new Rewriter(graph);
    const reasons: Reason[] = [];
    let fired = 0;
    const constantKeys = new Map<string, string>();
    for (const [name, t] of graph.constants) {
      const key = tensorKey(t);
      if (key !== undefined) constantKeys.set(name, key);
    }
    const seen = new Map<string, string>();
    for (const old of graph.nodes) {
      const n = w.current(old);
      if (n === undefined || RANDOM.has(n.op) || (n.outputs[0] ?? "") === "") continue;
      const key = keyOf(n, constantKeys);
      if (key === undefined) continue;
      const name = seen.get(key);
      if (name === undefined) {
        seen.set(key, n.name);
        continue;
      }
      const first = w.current({ ...n, name })!;
      // Several outputs: only where none of them has to keep its name.
      const names = n.outputs.filter((o) => o !== "");
      if (names.length > 1 && names.some((o) => w.pinned(o))) {
        reasons.push({ node: n.name, why: `it equals ${name}, but its outputs keep their names` });
        continue;
      }
      if (names.length === 1 && !w.bypass(n, first.outputs[0]!)) {
        reasons.push({
          node: n.name,
          why: `it equals ${name}, but both make outputs of the model`,
        });
        continue;
      }
      if (names.length > 1) {
        w.remove(n);
        n.outputs.forEach((o, i) => o === "" || w.redirect(o, first.outputs[i]!));
      }
      fired++;
    }
    return { graph: fired === 0 ? graph : w.build(), fired, reasons };
  },
};
