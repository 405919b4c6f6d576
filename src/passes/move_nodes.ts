/**
 * The nodes that carry out a permutation of factors.
 *
 * @module
 */

import { attr, type Node, node } from "../ir/graph.ts";
import { sameShape } from "../ir/tensor.ts";
import type { Factored } from "./factors.ts";
import { reshapeNode } from "./match.ts";
import type { Rewriter } from "./rewriter.ts";

/**
 * Reshape -> Transpose -> Reshape from `x` to output 0 of `n`, without those that change nothing. The main
 * node has the name of `n`.
 */
export function moveNodes(w: Rewriter, n: Node, x: string, f: Factored): Node[] {
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
