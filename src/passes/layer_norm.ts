/**
 * A LayerNormalization that an exporter wrote out becomes one node.
 *
 * @module
 */

import { attr, intAttr, intsAttr, type Node, node } from "../ir/graph.ts";
import { elementCount, f32, numbersOf, stridesOf, type Tensor } from "../ir/tensor.ts";
import { intsOf, scalarOf, withConstant } from "./match.ts";
import { nodePass } from "./pass.ts";
import { ownNodes, sumWith } from "./product.ts";
import type { Rewriter } from "./rewriter.ts";

interface Match {
  readonly x: string;
  readonly axis: number;
  readonly epsilon: number;
  readonly gamma: Tensor | undefined;
  readonly beta: Tensor | undefined;
  /** The last node of the pattern. */
  readonly root: Node;
  readonly pattern: readonly Node[];
}

/** First axis of a mean over the last dimensions that keeps them as 1. */
function meanOver(w: Rewriter, n: Node): number | string {
  const rank = w.shape(n.inputs[0]!)?.length;
  if (rank === undefined) return "the rank is not known";
  const axes = (intsOf(w, n.inputs[1]) ?? [...intsAttr(n, "axes", [])])
    .map((a) => a < 0 ? a + rank : a).sort((a, b) => a - b);
  if (intAttr(n, "keepdims", 1) === 0) return "its means drop the dimensions";
  const first = axes[0];
  if (first === undefined) return "it normalises over everything";
  const last = axes.every((a, i) => a === first + i) && first + axes.length === rank;
  return last ? first : `it normalises over axes ${axes}, not over the last ones`;
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

/** A constant over exactly the normalised dimensions, spread out where it broadcasts. */
function overLast(t: Tensor, shape: readonly number[], axis: number): Tensor | undefined {
  const dims = shape.slice(axis);
  if (t.dtype !== "float32" || t.shape.slice(0, -dims.length).some((d) => d !== 1)) {
    return undefined;
  }
  const own = t.shape.slice(-dims.length);
  const padded = [...new Array<number>(dims.length - own.length).fill(1), ...own];
  if (!padded.every((d, i) => d === 1 || d === dims[i])) return undefined;
  const strides = stridesOf(padded).map((s, i) => padded[i] === 1 ? 0 : s);
  const values = numbersOf(t);
  const steps = stridesOf(dims);
  const spread = new Float32Array(elementCount(dims));
  for (let i = 0; i < spread.length; i++) {
    let at = 0;
    for (let d = 0; d < dims.length; d++) {
      at += Math.floor(i / steps[d]!) % dims[d]! * strides[d]!;
    }
    spread[i] = values[at]!;
  }
  return f32(dims, spread);
}

/** Mul(gamma) and Add(beta) behind the quotient. */
function affineBehind(
  w: Rewriter,
  n: Node,
  axis: number,
): Pick<Match, "gamma" | "beta" | "root"> & { nodes: Node[] } {
  const shape = w.shape(n.outputs[0]!)!;
  const nodes: Node[] = [];
  let root = n;
  const next = (op: string): Tensor | undefined => {
    const user = w.onlyUser(root.outputs[0]!);
    if (user === undefined || user.domain !== "" || user.op !== op) return undefined;
    const c = withConstant(w, user);
    const t = c === undefined ? undefined : overLast(c.constant, shape, axis);
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

/** (x - mean) / sqrt(mean((x - mean)^2) + epsilon), over the last dimensions, with gamma and beta. */
export const layerNorm = nodePass<Match>({
  name: "layer_norm",
  doc:
    `ReduceMean, Sub, Pow(2), ReduceMean, Add(eps), Sqrt, Div [, Mul, Add]   =>   LayerNormalization`,
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
    const axis = meanOver(w, mean);
    if (typeof axis === "string") return axis;
    if (meanOver(w, variance) !== axis) return "its mean and its variance have different axes";
    const affine = affineBehind(w, n, axis);
    return {
      x: sub.inputs[0]!,
      axis,
      epsilon: sum!.number,
      gamma: affine.gamma,
      beta: affine.beta,
      root: affine.root,
      pattern: [mean, sub, square.node, variance, add!, ...q.nodes, ...affine.nodes],
    };
  },
  rewrite(w, n, m) {
    const dims = w.shape(m.x)!.slice(m.axis);
    const ones = () => f32(dims, new Float32Array(elementCount(dims)).fill(1));
    const inputs = [m.x, w.store(`${n.name}_gamma`, m.gamma ?? ones())];
    if (m.beta !== undefined) inputs.push(w.store(`${n.name}_beta`, m.beta));
    const next = node("LayerNormalization", n.name, inputs, [m.root.outputs[0]!], {
      axis: attr.int(m.axis - w.shape(m.x)!.length),
      epsilon: attr.float(m.epsilon),
      stash_type: attr.int(1),
    });
    w.replace(ownNodes(w, m.pattern, m.root), [next]);
  },
});
