/**
 * x * tanh(softplus(x)) becomes one node.
 *
 * @module
 */

import { HORIZON, type Node, node } from "../ir/graph.ts";
import { isClose } from "./match.ts";
import { nodePass } from "./pass.ts";
import { fuse, productOf, sumWith } from "./product.ts";
import type { Rewriter } from "./rewriter.ts";

interface Match {
  readonly x: string;
  readonly pattern: readonly Node[];
}

/** Softplus, or log(1 + exp(x)) written out. */
function softplus(w: Rewriter, name: string): { x: string; nodes: Node[] } | undefined {
  const plain = w.producerOf(name, "Softplus");
  if (plain !== undefined) return { x: plain.inputs[0]!, nodes: [plain] };
  const log = w.producerOf(name, "Log");
  const add = log === undefined ? undefined : w.producer(log.inputs[0]!);
  const sum = sumWith(w, add);
  if (log === undefined || sum === undefined || !isClose(sum.number, 1)) return undefined;
  const exp = w.producerOf(sum.x, "Exp");
  return exp === undefined ? undefined : { x: exp.inputs[0]!, nodes: [exp, add!, log] };
}

/** x * tanh(softplus(x)) becomes HzMish(x). */
export const mish = nodePass<Match>({
  name: "mish",
  doc: `x * Tanh(Softplus(x))   =>   HzMish(x)`,
  ops: ["Mul"],
  check(w, n) {
    if (!w.isFloat(n.outputs[0]!)) return undefined;
    const p = productOf(w, n);
    if (p === undefined || p.factors.length !== 2) return undefined;
    for (const [x, gate] of [[p.factors[0]!, p.factors[1]!], [p.factors[1]!, p.factors[0]!]]) {
      const tanh = w.producerOf(gate!, "Tanh");
      const plus = tanh === undefined ? undefined : softplus(w, tanh.inputs[0]!);
      if (tanh === undefined || plus === undefined || plus.x !== x) continue;
      if (!isClose(p.scale, 1)) return `the product has the factor ${p.scale}`;
      return { x: x!, pattern: [...plus.nodes, tanh, ...p.nodes] };
    }
    return undefined;
  },
  rewrite(w, n, m) {
    const next = node("HzMish", n.name, [m.x], [n.outputs[0]!], {}, HORIZON);
    return fuse(w, m.pattern, n, next);
  },
});
