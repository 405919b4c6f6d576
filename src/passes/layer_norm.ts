/**
 * A LayerNormalization that an exporter wrote out becomes one node.
 *
 * @module
 */

import { attr, intAttr, intsAttr, type Node, node } from "../ir/graph.ts";
import { elementCount, f32, numbersOf, type Tensor } from "../ir/tensor.ts";
import { broadcastIndex, padShape } from "../ops/broadcast.ts";
import { lossOf } from "./bpu.ts";
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
  const n = w.producerOf(name, "Pow", "Mul");
  const square = n !== undefined &&
    (n.op === "Pow" ? scalarOf(w, n.inputs[1]) === 2 : n.inputs[0] === n.inputs[1]);
  return square ? { of: n.inputs[0]!, node: n } : undefined;
}

/** What a root is taken of, and the nodes that take it. */
interface Root {
  readonly of: string;
  readonly nodes: readonly Node[];
}

/** Sqrt(v), or Pow(v, 0.5). */
function rootOf(w: Rewriter, name: string): Root | undefined {
  const n = w.producerOf(name, "Sqrt", "Pow");
  if (n === undefined || (n.op === "Pow" && scalarOf(w, n.inputs[1]) !== 0.5)) return undefined;
  return { of: n.inputs[0]!, nodes: [n] };
}

/** Reciprocal(Sqrt(v)), 1 / Sqrt(v), or Pow(v, -0.5). */
function inverseRootOf(w: Rewriter, name: string): Root | undefined {
  const n = w.producerOf(name, "Reciprocal", "Div", "Pow");
  if (n?.op === "Pow") {
    return scalarOf(w, n.inputs[1]) === -0.5 ? { of: n.inputs[0]!, nodes: [n] } : undefined;
  }
  if (n === undefined || (n.op === "Div" && scalarOf(w, n.inputs[0]) !== 1)) return undefined;
  const root = rootOf(w, n.inputs.at(-1)!);
  return root && { of: root.of, nodes: [...root.nodes, n] };
}

/** gamma / sqrt(v): an inverse root, perhaps times a constant. */
function factorOf(w: Rewriter, name: string): Root & { readonly gamma?: string } | undefined {
  const scaled = w.producerOf(name, "Mul");
  const gamma = scaled?.inputs.find((t) => w.constant(t) !== undefined);
  if (scaled === undefined || gamma === undefined) return inverseRootOf(w, name);
  const root = inverseRootOf(w, scaled.inputs.find((t) => t !== gamma)!);
  return root && { of: root.of, nodes: [...root.nodes, scaled], gamma };
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

/** Both ways of seeing the inputs of a node with two. */
const bothWays = (n: Node): [string, string][] => [
  [n.inputs[0]!, n.inputs[1]!],
  [n.inputs[1]!, n.inputs[0]!],
];

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

/** Mul(gamma), where it is not known yet, and Add(beta) behind the quotient. */
function affineBehind(
  w: Rewriter,
  n: Node,
  axes: readonly number[],
  known: Tensor | undefined,
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
  const gamma = known ?? next("Mul");
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
    const gone = ownNodes(w, m.pattern, m.root);
    // Written out, its values stay on the BPU only where its means do: the squares and roots between them
    // would travel to the CPU and back, and lose the variance in 8 bits.
    const loss = lossOf(w, m.pattern.filter((p) => p.op === "ReduceMean"), [next]);
    if (loss !== undefined) return loss;
    w.replace(
      gone,
      moved
        ? [transpose("to_last", m.x, from, perm), next, transpose("from_last", to, y, back)]
        : [next],
    );
  },
});
