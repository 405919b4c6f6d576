/**
 * A division by the root mean square that an exporter wrote out becomes one node.
 *
 * @module
 */

import { attr, HORIZON, type Node, node } from "../ir/graph.ts";
import {
  bothWays,
  constantBehind,
  factorOf,
  meanOver,
  type Normalised,
  overAxes,
  replaceNormalised,
  rootOf,
  squareOf,
} from "./normalisation.ts";
import { nodePass } from "./pass.ts";
import { sumWith } from "./product.ts";
import type { Rewriter } from "./rewriter.ts";

/** x / sqrt(mean(x^2) + epsilon), as a quotient or as a product. */
interface Quotient {
  readonly x: string;
  readonly mean: Node;
  readonly epsilon: number;
  readonly nodes: readonly Node[];
  /** Name of a constant that is part of it already. */
  readonly gamma?: string;
}

function quotient(w: Rewriter, n: Node): Quotient | undefined {
  for (const [x, k] of n.op === "Div" ? bothWays(n).slice(0, 1) : bothWays(n)) {
    const root = (n.op === "Div" ? rootOf : factorOf)(w, k);
    const add = root && w.producer(root.of), sum = sumWith(w, add);
    const mean = sum && w.producerOf(sum.x, "ReduceMean");
    const square = mean && squareOf(w, mean.inputs[0]!);
    if (root === undefined || sum === undefined || mean === undefined || square?.of !== x) continue;
    const { of: _, nodes, ...gamma } = root;
    return { x, mean, epsilon: sum.number, nodes: [square.node, mean, add!, ...nodes], ...gamma };
  }
  return undefined;
}

/**
 * x / sqrt(mean(x^2) + epsilon) with gamma. Behind layer_norm, whose centred x would be one too.
 */
export const rmsNorm = nodePass<Normalised>({
  name: "rms_norm",
  doc: `Pow(2), ReduceMean, Add(eps), Sqrt, Div [, Mul]   =>
[Transpose ->] HzRMSNormalization [-> Transpose]`,
  ops: ["Div", "Mul"],
  check(w, n) {
    if (!w.isFloat(n.outputs[0]!)) return undefined;
    const q = quotient(w, n);
    if (q === undefined) return undefined;
    const axes = meanOver(w, q.mean);
    if (typeof axes === "string") return axes;
    const own = q.gamma === undefined
      ? undefined
      : overAxes(w.constant(q.gamma)!, w.shape(q.x)!, axes);
    if (q.gamma !== undefined && own === undefined) {
      return "its scale varies over other dimensions than it normalises";
    }
    const scale = own === undefined ? constantBehind(w, n, "Mul", axes) : undefined;
    const root = scale?.node ?? n;
    return {
      x: q.x,
      axes,
      epsilon: q.epsilon,
      gamma: own ?? scale?.constant,
      root,
      pattern: [...q.nodes, n, root],
    };
  },
  rewrite(w, n, m) {
    const rank = w.shape(m.x)!.length, first = rank - m.axes.length;
    return replaceNormalised(
      w,
      n,
      m,
      (x, gamma, y) =>
        node("HzRMSNormalization", n.name, [x, gamma], [y], {
          axes: attr.ints(m.axes.map((_, i) => first + i)),
          epsilon: attr.float(m.epsilon),
        }, HORIZON),
    );
  },
});
