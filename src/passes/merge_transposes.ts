/**
 * A Transpose behind a Transpose, also with a Reshape between them, is one Transpose or none.
 *
 * @module
 */

import { attr, type Node, node } from "../ir/graph.ts";
import { sameShape } from "../ir/tensor.ts";
import { factor, type Factored } from "./factors.ts";
import { reshapeNode } from "./match.ts";
import { nodePass } from "./pass.ts";
import { permOf } from "./permute.ts";
import { ownNodes } from "./product.ts";
import type { Rewriter } from "./rewriter.ts";

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
    w.replace(gone, chain(w, n, x, m.factored));
  },
});

/** Reshape -> Transpose -> Reshape, without those that change nothing. */
function chain(w: Rewriter, n: Node, x: string, f: Factored): Node[] {
  const out = n.outputs[0]!;
  const [from, to] = [w.shape(x)!, w.shape(out)!];
  const dtype = w.type(x)!.dtype;
  if (f.order.every((d, i) => d === i)) return [reshapeNode(w, n.name, x, out, to)];

  // Dimensions of 1 in front stay where they are, so that the batch keeps its place.
  const ones = leadingOnes(to);
  const lead = new Array<number>(ones).fill(1);
  const inner = [...lead, ...f.sizes];
  const perm = [...lead.map((_, i) => i), ...f.order.map((d) => d + ones)];
  const turned = perm.map((p) => inner[p]!);

  const nodes: Node[] = [];
  let source = x;
  if (!sameShape(from, inner)) {
    const name = w.nodeName(`${n.name}_reshape_in`);
    source = w.temp(name, { dtype, shape: inner });
    nodes.push(reshapeNode(w, name, x, source, inner));
  }
  const whole = sameShape(turned, to);
  const target = whole ? out : w.temp(`${n.name}_turned`, { dtype, shape: turned });
  nodes.push(node("Transpose", n.name, [source], [target], { perm: attr.ints(perm) }));
  if (!whole) {
    nodes.push(reshapeNode(w, w.nodeName(`${n.name}_reshape_out`), target, out, to));
  }
  return nodes;
}

function leadingOnes(shape: readonly number[]): number {
  const at = shape.findIndex((d) => d !== 1);
  return at < 0 ? shape.length : at;
}
