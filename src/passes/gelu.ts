/**
 * The erf form of Gelu becomes one node.
 *
 * @module
 */

import { HORIZON, type Node, node } from "../ir/graph.ts";
import { isClose } from "./match.ts";
import { nodePass } from "./pass.ts";
import { ownNodes, productOf, scaled, sumWith } from "./product.ts";

interface Match {
  readonly x: string;
  readonly pattern: readonly Node[];
}

/**
 * 0.5 * x * (1 + erf(x / sqrt 2)), multiplied in any order, becomes HzGelu(x). The tanh approximation is
 * another function and stays.
 */
export const gelu = nodePass<Match>({
  name: "gelu",
  doc: `x * 0.5 * (1 + Erf(x / sqrt(2)))   =>   HzGelu(x)`,
  ops: ["Mul", "Div"],
  check(w, n) {
    if (!w.isFloat(n.outputs[0]!)) return undefined;
    const p = productOf(w, n);
    if (p === undefined || p.factors.length !== 2) return undefined;
    for (const [x, gate] of [[p.factors[0]!, p.factors[1]!], [p.factors[1]!, p.factors[0]!]]) {
      const add = w.producer(gate!);
      const sum = sumWith(w, add);
      const inner = sum === undefined ? undefined : w.producerOf(sum.x, "Erf", "Tanh");
      if (sum === undefined || inner === undefined || !isClose(sum.number, 1)) continue;
      if (inner.op === "Tanh") return "it is the tanh approximation of Gelu";
      const argument = w.producer(inner.inputs[0]!);
      const s = scaled(w, argument);
      if (s?.x !== x) continue;
      if (!isClose(s!.number, Math.SQRT1_2)) return `its Erf takes ${s!.number} * x`;
      if (!isClose(p.scale, 0.5)) return `the product has the factor ${p.scale}, Gelu has 0.5`;
      return { x: x!, pattern: [argument!, inner, add!, ...p.nodes] };
    }
    return undefined;
  },
  rewrite(w, n, m) {
    const next = node("HzGelu", n.name, [m.x], [n.outputs[0]!], {}, HORIZON);
    w.replace(ownNodes(w, m.pattern, n), [next]);
  },
});
