/**
 * A part taken from a tensor behind Reshapes and Transposes is a Slice in front of them: the halves of a
 * channel shuffle, the queries, keys and values of an attention layer.
 *
 * @module
 */

import { intAttr, type Node, node } from "../ir/graph.ts";
import { i64, sameShape } from "../ir/tensor.ts";
import { type Move, pick, type Picked } from "./factors.ts";
import { intsOf, scalarOf } from "./match.ts";
import { moveNodes } from "./move_nodes.ts";
import { nodePass } from "./pass.ts";
import { permOf } from "./permute.ts";
import { ownNodes } from "./product.ts";
import type { Rewriter } from "./rewriter.ts";

interface Match {
  readonly x: string;
  readonly part: Part;
  readonly picked: Picked;
  readonly pattern: readonly Node[];
}

const MAX_CHAIN = 8;
const MOVES = ["Reshape", "Transpose", "Squeeze", "Unsqueeze", "Flatten"];

/** Entries of one dimension. */
interface Part {
  readonly axis: number;
  readonly start: number;
  readonly size: number;
}

/** What a node takes along one dimension: Gather of a scalar, or Slice with step 1. */
function partOf(w: Rewriter, n: Node): Part | undefined {
  const shape = w.shape(n.inputs[0]!);
  if (shape === undefined || n.domain !== "") return undefined;
  const positive = (a: number) => a < 0 ? a + shape.length : a;
  if (n.op === "Gather") {
    const index = scalarOf(w, n.inputs[1]);
    const axis = positive(intAttr(n, "axis", 0));
    if (index === undefined || w.shape(n.inputs[1]!)?.length !== 0) return undefined;
    return { axis, start: index < 0 ? index + shape[axis]! : index, size: 1 };
  }
  if (n.op !== "Slice") return undefined;
  const out = w.shape(n.outputs[0]!);
  const starts = intsOf(w, n.inputs[1]);
  const axes = (n.inputs[3] ?? "") === "" ? [0] : intsOf(w, n.inputs[3]);
  const steps = (n.inputs[4] ?? "") === "" ? [1] : intsOf(w, n.inputs[4]);
  if (out === undefined || starts?.length !== 1 || axes?.length !== 1) return undefined;
  const axis = positive(axes[0]!);
  const size = out[axis]!;
  if (size === shape[axis] || size === 0 || (steps?.[0] !== 1 && size !== 1)) return undefined;
  const start = starts[0]! < 0 ? starts[0]! + shape[axis]! : starts[0]!;
  return { axis, start: Math.max(0, Math.min(shape[axis]! - 1, start)), size };
}

/** Whether a part is transposed once more, so that moving the chain behind it saves that. */
function isTransposed(w: Rewriter, n: Node): boolean {
  let user = w.onlyUser(n.outputs[0]!);
  if (user?.op === "Reshape") user = w.onlyUser(user.outputs[0]!);
  return user?.op === "Transpose";
}

/** Whether moving the chain behind this part is worth it: single entries always. */
function worthwhile(w: Rewriter, n: Node): boolean {
  const part = partOf(w, n);
  return part !== undefined && (part.size === 1 || isTransposed(w, n));
}

/**
 * x -> Reshape, Transpose, ... -> take a part becomes Slice(x) -> Reshape, Transpose, ... on the part that is
 * taken; often nothing but the Slice remains. Done when every reader of the chain takes one entry of a
 * dimension, or a range that is transposed again.
 */
export const hoistPick = nodePass<Match>({
  name: "hoist_pick",
  doc:
    `x [1,C,H,W] -> Reshape [C/2,2,HW] -> Transpose -> Reshape -> Gather(i)   =>   Slice(x, step 2)
qkv [1,3HD,L] -> Reshape -> Transpose -> Gather(i)   =>   Slice(qkv) -> Reshape -> Transpose`,
  ops: ["Gather", "Slice"],
  check(w, n) {
    const part = partOf(w, n);
    const last = w.producerOf(n.inputs[0]!, ...MOVES);
    if (part === undefined || last === undefined || !worthwhile(w, n)) return undefined;
    const other = w.users(n.inputs[0]!).find((u) => !worthwhile(w, u));
    if (other !== undefined) return `${other.name} reads ${n.inputs[0]} as it is`;
    if (w.pinned(n.inputs[0]!)) return w.whyShared(n.inputs[0]!);

    const pattern: Node[] = [n];
    const moves: Move[] = [];
    let x = n.inputs[0]!;
    for (let p: Node | undefined = last; p !== undefined; p = w.producerOf(x, ...MOVES)) {
      const [out, perm] = [w.shape(x), p.op === "Transpose" ? permOf(w, p) : undefined];
      // A chain that is read in the middle is needed there anyway.
      if (out === undefined || moves.length === MAX_CHAIN) break;
      if (p !== last && w.onlyUser(x) === undefined) break;
      moves.unshift(perm === undefined ? { shape: out } : { perm });
      pattern.unshift(p);
      x = p.inputs[0]!;
    }
    const shape = w.shape(x);
    if (shape === undefined || w.shape(n.outputs[0]!) === undefined) {
      return "its shape is not known";
    }
    if (part.size > 1 && !moves.some((m) => "perm" in m)) return undefined;
    const picked = pick(shape, moves, part.axis, part.size);
    if (picked === undefined) return "its dimension is not one factor of a dimension in front";
    if (picked.outer !== 1 && (picked.inner !== 1 || part.size > 1)) {
      return "its entries lie scattered in front";
    }
    return { x, part, picked, pattern };
  },
  rewrite(w, n, m) {
    const { axis, outer, count, inner } = m.picked;
    const { start: first, size } = m.part;
    const out = n.outputs[0]!;
    const source = w.shape(m.x)!;
    const shape = source.map((d, i) => i === axis ? d / count * size : d);
    const strided = outer > 1;
    const start = strided ? first : first * inner;
    const end = strided ? first + (outer - 1) * count + 1 : start + size * inner;
    const store = (hint: string, v: number) => w.store(`${n.name}_${hint}`, i64([v]));
    const inputs = [
      m.x,
      store("starts", start),
      store("ends", end),
      store("axes", axis),
      store("steps", strided ? count : 1),
    ];
    const gone = ownNodes(w, m.pattern, n);
    const still = m.picked.rest.order.every((d, i) => d === i);
    if (still && sameShape(shape, w.shape(out)!)) {
      w.replace(gone, [node("Slice", n.name, inputs, [out])]);
      return;
    }
    const name = w.nodeName(`${n.name}_slice`);
    const slice = w.temp(name, { dtype: w.type(m.x)!.dtype, shape });
    const moved = moveNodes(w, n, slice, m.picked.rest);
    w.replace(gone, [node("Slice", name, inputs, [slice]), ...moved]);
  },
});
