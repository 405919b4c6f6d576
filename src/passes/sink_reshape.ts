/**
 * Reshapes move behind the activation functions that follow them, so that a convolution and its
 * activation stay neighbours.
 *
 * @module
 */

import { type Node, node } from "../ir/graph.ts";
import { sameShape } from "../ir/tensor.ts";
import { lossOf } from "./bpu.ts";
import { reshapeNode, UNARY, withConstant } from "./match.ts";
import { nodePass } from "./pass.ts";
import type { Rewriter } from "./rewriter.ts";

interface Match {
  readonly reshapes: readonly Node[];
  /** The node's inputs in the shape before the Reshapes. */
  readonly inputs: readonly string[];
  readonly shape: readonly number[];
}

const BINARY = new Set(["Add", "Sub", "Mul", "Div", "Max", "Min", "Pow"]);

/** The Reshape from rank 4 that makes `name` for this node alone. */
function reshapeOf(w: Rewriter, name: string, user: Node): Node | string | undefined {
  const r = w.producerOf(name, "Reshape");
  if (r === undefined) return undefined;
  const [from, to] = [w.shape(r.inputs[0]!), w.shape(name)];
  if (from?.length !== 4 || to === undefined || to.length === 4) return undefined;
  return w.onlyUser(name) === user ? r : `the result of ${r.name} is shared: ${w.whyShared(name)}`;
}

/**
 * An elementwise node behind Reshapes from rank 4 works at rank 4, and the Reshape follows it.
 */
export const sinkReshape = nodePass<Match>({
  name: "sink_reshape",
  doc: `Conv -> Reshape -> Relu       =>  Conv -> Relu -> Reshape
Reshape(a) + Reshape(b)          =>  Reshape(a + b)`,
  ops: [...UNARY, ...BINARY],
  check(w, n) {
    const unary = UNARY.has(n.op) || withConstant(w, n)?.constant.data.length === 1;
    const reshapes: Node[] = [];
    const inputs: string[] = [];
    for (const [i, name] of n.inputs.entries()) {
      if (UNARY.has(n.op) && i > 0 || w.constant(name) !== undefined) {
        const c = w.constant(name);
        if (name !== "" && (c?.data.length !== 1 || c.shape.length > 4)) return undefined;
        inputs.push(name);
        continue;
      }
      const r = reshapeOf(w, name, n);
      if (r === undefined || typeof r === "string") return r;
      reshapes.push(r);
      inputs.push(r.inputs[0]!);
    }
    const first = reshapes[0];
    if (first === undefined || (!unary && reshapes.length !== n.inputs.length)) return undefined;
    const shape = w.shape(first.inputs[0]!)!;
    const flat = w.shape(first.outputs[0]!)!;
    for (const r of reshapes) {
      if (
        !sameShape(w.shape(r.inputs[0]!)!, shape) || !sameShape(w.shape(r.outputs[0]!)!, flat)
      ) return "its operands are reshaped from different shapes";
    }
    return { reshapes: [...new Set(reshapes)], inputs, shape };
  },
  rewrite(w, n, m) {
    const out = n.outputs[0]!;
    const type = w.type(out)!;
    const inner = w.temp(`${m.reshapes[0]!.inputs[0]!}_${n.op.toLowerCase()}`, {
      dtype: type.dtype,
      shape: m.shape,
    });
    const moved = node(n.op, n.name, m.inputs, [inner], n.attrs, n.domain);
    const loss = lossOf(w, [n], [moved]);
    if (loss !== undefined) return loss;
    const reshape = reshapeNode(w, m.reshapes[0]!.name, inner, out, type.shape);
    w.replace([...m.reshapes, n], [moved, reshape]);
  },
});
