/**
 * A Transpose behind a Transpose, also with a Reshape between them, is one Transpose or none.
 *
 * @module
 */

import { attr, type Node, node } from "../ir/graph.ts";
import { factor, type Factored } from "./factors.ts";
import { moveNodes } from "./move_nodes.ts";
import { nodePass } from "./pass.ts";
import { permOf } from "./permute.ts";
import { ownNodes } from "./product.ts";

type Match =
  | { readonly first: Node; readonly perm: readonly number[] }
  | { readonly first: Node; readonly reshape: Node; readonly factored: Factored };

/**
 * Transpose -> Transpose becomes their product. Transpose -> Reshape -> Transpose becomes what is left when
 * dimensions are seen as products of factors: a Reshape, or one Transpose with Reshapes around it.
 */
export const mergeTransposes = nodePass<Match>({
  name: "merge_transposes",
  doc: `Transpose(p) -> Transpose(q)             =>  Transpose(p q)
Transpose -> Reshape -> Transpose        =>  Reshape [-> Transpose -> Reshape]`,
  ops: ["Transpose"],
  check(w, n) {
    const direct = w.producerOf(n.inputs[0]!, "Transpose");
    const p2 = permOf(w, n);
    if (p2 === undefined || w.shape(n.outputs[0]!) === undefined) return "its shape is not known";
    if (direct !== undefined) {
      const p1 = permOf(w, direct);
      if (p1 === undefined) return "its shape is not known";
      return { first: direct, perm: p2.map((i) => p1[i]!) };
    }
    const reshape = w.producerOf(n.inputs[0]!, "Reshape");
    const turned = reshape?.inputs[0];
    const first = turned === undefined ? undefined : w.producerOf(turned, "Transpose");
    if (reshape === undefined || turned === undefined || first === undefined) return undefined;
    const [x, between] = [w.shape(first.inputs[0]!), w.shape(n.inputs[0]!)];
    const p1 = permOf(w, first);
    if (x === undefined || between === undefined || p1 === undefined) {
      return "its shape is not known";
    }
    if (w.onlyUser(turned) === undefined) {
      return `the result of ${first.name} is shared: ${w.whyShared(turned)}`;
    }
    const factored = factor(x, [{ perm: p1 }, { shape: between }, { perm: p2 }]);
    if (factored === undefined) return `${reshape.name} cuts dimensions where they do not divide`;
    return { first, reshape, factored };
  },
  rewrite(w, n, m) {
    const x = m.first.inputs[0]!;
    if ("perm" in m) {
      const next = node("Transpose", n.name, [x], [n.outputs[0]!], { perm: attr.ints(m.perm) });
      w.replace(ownNodes(w, [m.first], n), [next]);
      return;
    }
    const gone = ownNodes(w, [m.first, m.reshape], n);
    w.replace(gone, moveNodes(w, n, x, m.factored));
  },
});
