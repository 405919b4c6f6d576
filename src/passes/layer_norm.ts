/**
 * A LayerNormalization that an exporter wrote out becomes one node.
 *
 * @module
 */

import { attr, intAttr, intsAttr, type Node, node } from "../ir/graph.ts";
import { elementCount, f32, numbersOf, type Tensor } from "../ir/tensor.ts";
import { broadcastIndex, padShape } from "../ops/broadcast.ts";
import { intsOf, scalarOf, withConstant } from "./match.ts";
import { nodePass } from "./pass.ts";
import { ownNodes, sumWith } from "./product.ts";
import type { Rewriter } from "./rewriter.ts";

interface Match {
  readonly x: string;
  /** The normalised axes, ascending. */
  readonly axes: readonly number[];
  readonly epsilon: number;
  readonly gamma: Tensor | undefined;
  readonly beta: Tensor | undefined;
  /** The last node of the pattern. */
  readonly root: Node;
  readonly pattern: readonly Node[];
}

/** Axes of a mean that keeps them as 1, ascending. */
function meanOver(w: Rewriter, n: Node): number[] | string {
  const rank = w.shape(n.inputs[0]!)?.length;
  if (rank === undefined) return "the rank is not known";
  const axes = (intsOf(w, n.inputs[1]) ?? [...intsAttr(n, "axes", [])])
    .map((a) => a < 0 ? a + rank : a).sort((a, b) => a - b);
  if (intAttr(n, "keepdims", 1) === 0) return "its means drop the dimensions";
  return axes.length === 0 ? "it normalises over everything" : axes;
}

/** d * d, as Pow(d, 2) or Mul(d, d). */
function squareOf(w: Rewriter, name: string): { of: string; node: Node } | undefined {
  const pow = w.producerOf(name, "Pow");
  if (pow !== undefined) {
    return scalarOf(w, pow.inputs[1]) === 2 ? { of: pow.inputs[0]!, node: pow } : undefined;
  }
  const mul = w.producerOf(name, "Mul");
  return mul !== undefined && mul.inputs[0] === mul.inputs[1]
    ? { of: mul.inputs[0]!, node: mul }
    : undefined;
}

/** Numerator and Sqrt of d / sqrt(v), written as Div or with Reciprocal. */
function quotient(w: Rewriter, n: Node): { d: string; sqrt: Node; nodes: Node[] } | undefined {
  if (n.op === "Div") {
    const sqrt = w.producerOf(n.inputs[1]!, "Sqrt");
    return sqrt === undefined ? undefined : { d: n.inputs[0]!, sqrt, nodes: [sqrt, n] };
  }
  for (const [d, r] of [[n.inputs[0]!, n.inputs[1]!], [n.inputs[1]!, n.inputs[0]!]]) {
    const reciprocal = w.producerOf(r!, "Reciprocal");
    const sqrt = reciprocal === undefined ? undefined : w.producerOf(reciprocal.inputs[0]!, "Sqrt");
    if (reciprocal !== undefined && sqrt !== undefined) {
      return { d: d!, sqrt, nodes: [sqrt, reciprocal, n] };
    }
  }
  return undefined;
}

/** A constant over exactly the normalised axes, spread out where it broadcasts. */
function overAxes(
  t: Tensor,
  shape: readonly number[],
  axes: readonly number[],
): Tensor | undefined {
  if (t.dtype !== "float32" || t.shape.length > shape.length) return undefined;
  const own = padShape(t.shape, shape.length);
  if (!own.every((d, i) => d === 1 || axes.includes(i) && d === shape[i])) return undefined;
  const dims = axes.map((a) => shape[a]!), values = numbersOf(t);
  const index = broadcastIndex(axes.map((a) => own[a]!), dims);
  return f32(
    dims,
    Float32Array.from({ length: elementCount(dims) }, (_, i) => values[index?.[i] ?? i]!),
  );
}

/** Mul(gamma) and Add(beta) behind the quotient. */
function affineBehind(
  w: Rewriter,
  n: Node,
  axes: readonly number[],
): Pick<Match, "gamma" | "beta" | "root"> & { nodes: Node[] } {
  const shape = w.shape(n.outputs[0]!)!;
  const nodes: Node[] = [];
  let root = n;
  const next = (op: string): Tensor | undefined => {
    const user = w.onlyUser(root.outputs[0]!);
    if (user === undefined || user.domain !== "" || user.op !== op) return undefined;
    const c = withConstant(w, user);
    const t = c === undefined ? undefined : overAxes(c.constant, shape, axes);
    if (t !== undefined) {
      root = user;
      nodes.push(user);
    }
    return t;
  };
  const gamma = next("Mul");
  const beta = next("Add");
  return { gamma, beta, root, nodes };
}

/**
 * (x - mean) / sqrt(mean((x - mean)^2) + epsilon) with gamma and beta. LayerNormalization takes the last
 * dimensions; others are brought there by a Transpose, and back by another.
 */
export const layerNorm = nodePass<Match>({
  name: "layer_norm",
  doc: `ReduceMean, Sub, Pow(2), ReduceMean, Add(eps), Sqrt, Div [, Mul, Add]   =>
[Transpose ->] LayerNormalization [-> Transpose]`,
  ops: ["Div", "Mul"],
  check(w, n) {
    if (!w.isFloat(n.outputs[0]!)) return undefined;
    const q = quotient(w, n);
    if (q === undefined) return undefined;
    const add = w.producer(q.sqrt.inputs[0]!);
    const sum = sumWith(w, add);
    const variance = sum === undefined ? undefined : w.producerOf(sum.x, "ReduceMean");
    if (variance === undefined) return undefined;
    const square = squareOf(w, variance.inputs[0]!);
    const sub = w.producerOf(q.d, "Sub");
    if (square === undefined || sub === undefined) return undefined;
    const mean = w.producerOf(sub.inputs[1]!, "ReduceMean");
    if (mean === undefined || mean.inputs[0] !== sub.inputs[0] || square.of !== q.d) {
      return undefined;
    }
    const axes = meanOver(w, mean);
    if (typeof axes === "string") return axes;
    if (String(meanOver(w, variance)) !== String(axes)) {
      return "its mean and its variance have different axes";
    }
    const affine = affineBehind(w, n, axes);
    return {
      x: sub.inputs[0]!,
      axes,
      epsilon: sum!.number,
      gamma: affine.gamma,
      beta: affine.beta,
      root: affine.root,
      pattern: [mean, sub, square.node, variance, add!, ...q.nodes, ...affine.nodes],
    };
  },
  rewrite(w, n, m) {
    const shape = w.shape(m.x)!, y = m.root.outputs[0]!;
    const perm = [...shape.keys()].filter((i) => !m.axes.includes(i)).concat(m.axes);
    const moved = perm.some((a, i) => a !== i);
    const turned = (hint: string) =>
      w.temp(`${n.name}_${hint}`, { dtype: "float32", shape: perm.map((a) => shape[a]!) });
    const [from, to] = moved ? [turned("last"), turned("normal")] : [m.x, y];
    const dims = m.axes.map((a) => shape[a]!);
    const ones = () => f32(dims, new Float32Array(elementCount(dims)).fill(1));
    const inputs = [from, w.store(`${n.name}_gamma`, m.gamma ?? ones())];
    if (m.beta !== undefined) inputs.push(w.store(`${n.name}_beta`, m.beta));
    const next = node("LayerNormalization", n.name, inputs, [to], {
      axis: attr.int(-dims.length),
      epsilon: attr.float(m.epsilon),
      stash_type: attr.int(1),
    });
    const transpose = (hint: string, x: string, out: string, p: readonly number[]) =>
      w.make("Transpose", `${n.name}_${hint}`, [x], [out], { perm: attr.ints(p) });
    const back = perm.map((_, i) => perm.indexOf(i));
    w.replace(
      ownNodes(w, m.pattern, m.root),
      moved
        ? [transpose("to_last", m.x, from, perm), next, transpose("from_last", to, y, back)]
        : [next],
    );
  },
});
