/**
 * A LayerNormalization that an exporter wrote out becomes one node.
 *
 * @module
 */

import { attr, type Node, node } from "../ir/graph.ts";
import type { Tensor } from "../ir/tensor.ts";
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

interface Match extends Normalised {
  readonly beta: Tensor | undefined;
}

/** A normalisation without its variance: what it is of, the mean, v + epsilon under the root. */
interface Normal {
  readonly x: string;
  readonly mean: Node;
  readonly under: string;
  readonly nodes: readonly Node[];
  /** Names of constants that are part of it already. */
  readonly gamma?: string;
  readonly beta?: string;
}

/** (x - mean) / sqrt(v), as a quotient or as a product. */
function quotient(w: Rewriter, n: Node): Normal | undefined {
  for (const [d, k] of n.op === "Div" ? bothWays(n).slice(0, 1) : bothWays(n)) {
    const sub = w.producerOf(d, "Sub");
    const root = (n.op === "Div" ? rootOf : factorOf)(w, k);
    const mean = sub && w.producerOf(sub.inputs[1]!, "ReduceMean");
    if (sub === undefined || root === undefined || mean === undefined) continue;
    const { of: under, nodes, ...gamma } = root;
    return { x: sub.inputs[0]!, mean, under, nodes: [sub, ...nodes, n], ...gamma };
  }
  return undefined;
}

/** x k + (beta - mean k) or x k - mean k, with k = gamma / sqrt(v), as TensorFlow writes it. */
function folded(w: Rewriter, n: Node): Normal | undefined {
  for (const [a, b] of n.op === "Sub" ? bothWays(n).slice(0, 1) : bothWays(n)) {
    const rest = n.op === "Sub" ? undefined : w.producerOf(b, "Sub");
    if (n.op === "Add" && w.constant(rest?.inputs[0] ?? "") === undefined) continue;
    const p = w.producerOf(a, "Mul"), q = w.producerOf(rest?.inputs[1] ?? b, "Mul");
    if (p === undefined || q === undefined) continue;
    for (const [x, k] of bothWays(p)) {
      const of = q.inputs[q.inputs[0] === k ? 1 : 0]!;
      const mean = q.inputs.includes(k) ? w.producerOf(of, "ReduceMean") : undefined;
      const root = factorOf(w, k);
      if (mean === undefined || root === undefined) continue;
      const { of: under, nodes, ...gamma } = root;
      return rest === undefined
        ? { x, mean, under, nodes: [...nodes, p, q, n], ...gamma }
        : { x, mean, under, nodes: [...nodes, p, q, rest, n], ...gamma, beta: rest.inputs[0]! };
    }
  }
  return undefined;
}

/** The means and other nodes of mean((x - mean)^2), or of mean(x^2) - mean^2. */
function varianceOf(
  w: Rewriter,
  name: string,
  x: string,
  mean: string,
): { mean: Node; nodes: Node[] } | undefined {
  const v = w.producerOf(name, "ReduceMean", "Sub");
  const squares = v?.op === "Sub" ? w.producerOf(v.inputs[0]!, "ReduceMean") : v;
  const square = squares && squareOf(w, squares.inputs[0]!);
  if (v === undefined || squares === undefined || square === undefined) return undefined;
  if (v.op === "Sub") {
    const other = squareOf(w, v.inputs[1]!);
    return square.of === x && other?.of === mean
      ? { mean: squares, nodes: [square.node, squares, other.node, v] }
      : undefined;
  }
  const sub = w.producerOf(square.of, "Sub");
  const centred = sub?.inputs.includes(x) && sub.inputs.includes(mean);
  return centred ? { mean: squares, nodes: [sub!, square.node, squares] } : undefined;
}

/** Mul(gamma), where it is not known yet, and Add(beta) behind the quotient. */
function affineBehind(
  w: Rewriter,
  n: Node,
  axes: readonly number[],
  known: Tensor | undefined,
): Pick<Match, "gamma" | "beta" | "root"> & { nodes: Node[] } {
  const scale = known === undefined ? constantBehind(w, n, "Mul", axes) : undefined;
  const bias = constantBehind(w, scale?.node ?? n, "Add", axes);
  return {
    gamma: known ?? scale?.constant,
    beta: bias?.constant,
    root: bias?.node ?? scale?.node ?? n,
    nodes: [scale, bias].flatMap((k) => k === undefined ? [] : [k.node]),
  };
}

/**
 * (x - mean) / sqrt(mean((x - mean)^2) + epsilon) with gamma and beta. LayerNormalization takes the last
 * dimensions; others are brought there by a Transpose, and back by another.
 */
export const layerNorm = nodePass<Match>({
  name: "layer_norm",
  doc: `ReduceMean, Sub, Pow(2), ReduceMean, Add(eps), Sqrt, Div [, Mul, Add]   =>
[Transpose ->] LayerNormalization [-> Transpose]`,
  ops: ["Div", "Mul", "Add", "Sub"],
  check(w, n) {
    if (!w.isFloat(n.outputs[0]!)) return undefined;
    const f = (n.op === "Div" || n.op === "Mul" ? quotient : folded)(w, n);
    if (f === undefined || f.mean.inputs[0] !== f.x) return undefined;
    const add = w.producer(f.under);
    const sum = sumWith(w, add);
    if (sum === undefined) return undefined;
    const variance = varianceOf(w, sum.x, f.x, f.mean.outputs[0]!);
    if (variance === undefined) return undefined;
    const axes = meanOver(w, f.mean);
    if (typeof axes === "string") return axes;
    if (String(meanOver(w, variance.mean)) !== String(axes)) {
      return "its mean and its variance have different axes";
    }
    const shape = w.shape(f.x)!;
    const own = (name: string | undefined) =>
      name === undefined ? undefined : overAxes(w.constant(name)!, shape, axes);
    const [gamma, beta] = [own(f.gamma), own(f.beta)];
    if (
      (f.gamma !== undefined && gamma === undefined) || (f.beta !== undefined && beta === undefined)
    ) {
      return "its scale or bias varies over other dimensions than it normalises";
    }
    const affine = n.op === "Div" || n.op === "Mul"
      ? affineBehind(w, n, axes, gamma)
      : { gamma, beta, root: n, nodes: [] };
    return {
      x: f.x,
      axes,
      epsilon: sum.number,
      gamma: affine.gamma,
      beta: affine.beta,
      root: affine.root,
      pattern: [f.mean, ...variance.nodes, add!, ...f.nodes, ...affine.nodes],
    };
  },
  rewrite(w, n, m) {
    return replaceNormalised(w, n, m, (x, gamma, y) => {
      const beta = m.beta === undefined ? [] : [w.store(`${n.name}_beta`, m.beta)];
      return node("LayerNormalization", n.name, [x, gamma, ...beta], [y], {
        axis: attr.int(-m.axes.length),
        epsilon: attr.float(m.epsilon),
        stash_type: attr.int(1),
      });
    });
  },
});
