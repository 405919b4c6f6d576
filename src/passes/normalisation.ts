/**
 * What the normalisations that exporters write out have in common: roots, squares, means, and one node
 * for them over the last dimensions.
 *
 * @module
 */

import { attr, intAttr, intsAttr, type Node } from "../ir/graph.ts";
import { elementCount, f32, numbersOf, type Tensor } from "../ir/tensor.ts";
import { broadcastIndex, padShape } from "../ops/broadcast.ts";
import { lossOf } from "./bpu.ts";
import { intsOf, scalarOf, withConstant } from "./match.ts";
import { ownNodes } from "./product.ts";
import type { Rewriter } from "./rewriter.ts";

/** Axes of a mean that keeps them as 1, ascending. */
export function meanOver(w: Rewriter, n: Node): number[] | string {
  const rank = w.shape(n.inputs[0]!)?.length;
  if (rank === undefined) return "the rank is not known";
  const axes = (intsOf(w, n.inputs[1]) ?? [...intsAttr(n, "axes", [])])
    .map((a) => a < 0 ? a + rank : a).sort((a, b) => a - b);
  if (intAttr(n, "keepdims", 1) === 0) return "its means drop the dimensions";
  return axes.length === 0 ? "it normalises over everything" : axes;
}

/** d * d, as Pow(d, 2) or Mul(d, d). */
export function squareOf(w: Rewriter, name: string): { of: string; node: Node } | undefined {
  const n = w.producerOf(name, "Pow", "Mul");
  const square = n !== undefined &&
    (n.op === "Pow" ? scalarOf(w, n.inputs[1]) === 2 : n.inputs[0] === n.inputs[1]);
  return square ? { of: n.inputs[0]!, node: n } : undefined;
}

/** What a root is taken of, and the nodes that take it. */
export interface Root {
  readonly of: string;
  readonly nodes: readonly Node[];
}

/** Sqrt(v), or Pow(v, 0.5). */
export function rootOf(w: Rewriter, name: string): Root | undefined {
  const n = w.producerOf(name, "Sqrt", "Pow");
  if (n === undefined || (n.op === "Pow" && scalarOf(w, n.inputs[1]) !== 0.5)) return undefined;
  return { of: n.inputs[0]!, nodes: [n] };
}

/** Reciprocal(Sqrt(v)), 1 / Sqrt(v), or Pow(v, -0.5). */
export function inverseRootOf(w: Rewriter, name: string): Root | undefined {
  const n = w.producerOf(name, "Reciprocal", "Div", "Pow");
  if (n?.op === "Pow") {
    return scalarOf(w, n.inputs[1]) === -0.5 ? { of: n.inputs[0]!, nodes: [n] } : undefined;
  }
  if (n === undefined || (n.op === "Div" && scalarOf(w, n.inputs[0]) !== 1)) return undefined;
  const root = rootOf(w, n.inputs.at(-1)!);
  return root && { of: root.of, nodes: [...root.nodes, n] };
}

/** gamma / sqrt(v): an inverse root, perhaps times a constant. */
export function factorOf(
  w: Rewriter,
  name: string,
): Root & { readonly gamma?: string } | undefined {
  const scaled = w.producerOf(name, "Mul");
  const gamma = scaled?.inputs.find((t) => w.constant(t) !== undefined);
  if (scaled === undefined || gamma === undefined) return inverseRootOf(w, name);
  const root = inverseRootOf(w, scaled.inputs.find((t) => t !== gamma)!);
  return root && { of: root.of, nodes: [...root.nodes, scaled], gamma };
}

/** Both ways of seeing the inputs of a node with two. */
export const bothWays = (n: Node): [string, string][] => [
  [n.inputs[0]!, n.inputs[1]!],
  [n.inputs[1]!, n.inputs[0]!],
];

/** A constant over exactly the normalised axes, spread out where it broadcasts. */
export function overAxes(
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

/** The only reader of a node's result, where it is `op` with a constant over the normalised axes. */
export function constantBehind(
  w: Rewriter,
  n: Node,
  op: "Mul" | "Add",
  axes: readonly number[],
): { node: Node; constant: Tensor } | undefined {
  const user = w.onlyUser(n.outputs[0]!);
  if (user === undefined || user.domain !== "" || user.op !== op) return undefined;
  const c = withConstant(w, user);
  const constant = c === undefined
    ? undefined
    : overAxes(c.constant, w.shape(n.outputs[0]!)!, axes);
  return constant === undefined ? undefined : { node: user, constant };
}

/** A normalisation that was found. */
export interface Normalised {
  readonly x: string;
  /** The normalised axes, ascending. */
  readonly axes: readonly number[];
  readonly epsilon: number;
  readonly gamma: Tensor | undefined;
  /** The last node of the pattern. */
  readonly root: Node;
  readonly pattern: readonly Node[];
}

/**
 * Puts one node in the place of a pattern. It takes the last dimensions; others are brought there by a
 * Transpose, and back by another. `make` gets the node's input, its factors and its output. Returns why
 * it is left as it is.
 */
export function replaceNormalised(
  w: Rewriter,
  n: Node,
  m: Normalised,
  make: (x: string, gamma: string, y: string) => Node,
): string | undefined {
  const shape = w.shape(m.x)!, y = m.root.outputs[0]!;
  const perm = [...shape.keys()].filter((i) => !m.axes.includes(i)).concat(m.axes);
  const moved = perm.some((a, i) => a !== i);
  const turned = (hint: string) =>
    w.temp(`${n.name}_${hint}`, { dtype: "float32", shape: perm.map((a) => shape[a]!) });
  const [from, to] = moved ? [turned("last"), turned("normal")] : [m.x, y];
  const dims = m.axes.map((a) => shape[a]!);
  const ones = () => f32(dims, new Float32Array(elementCount(dims)).fill(1));
  const next = make(from, w.store(`${n.name}_gamma`, m.gamma ?? ones()), to);
  const transpose = (hint: string, x: string, out: string, p: readonly number[]) =>
    w.make("Transpose", `${n.name}_${hint}`, [x], [out], { perm: attr.ints(p) });
  const back = perm.map((_, i) => perm.indexOf(i));
  // Written out, its values stay on the BPU only where its means do: the squares and roots between them
  // would travel to the CPU and back, and lose the variance in 8 bits.
  const loss = lossOf(w, m.pattern.filter((p) => p.op === "ReduceMean"), [next]);
  if (loss !== undefined) return loss;
  w.replace(
    ownNodes(w, m.pattern, m.root),
    moved
      ? [transpose("to_last", m.x, from, perm), next, transpose("from_last", to, y, back)]
      : [next],
  );
  return undefined;
}
