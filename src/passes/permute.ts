/**
 * Permutations of dimensions: of constants, and of the operators that can work in any order of them.
 *
 * @module
 */

import { type Attr, attr, intAttr, intsAttr, type Node } from "../ir/graph.ts";
import {
  allocate,
  elementCount,
  i64,
  stridesOf,
  type Tensor,
  type TensorType,
} from "../ir/tensor.ts";
import { padShape } from "../ops/broadcast.ts";
import { lossOf } from "./bpu.ts";
import { intsOf, UNARY } from "./match.ts";
import { type Rewriter, withAttrs } from "./rewriter.ts";

/** Permutation of a Transpose; undefined when the rank is not known. */
export function permOf(w: Rewriter, n: Node): readonly number[] | undefined {
  const rank = w.type(n.inputs[0]!)?.shape.length;
  if (rank === undefined) return undefined;
  return intsAttr(n, "perm", Array.from({ length: rank }, (_, i) => rank - 1 - i));
}

/** The permutation that undoes `p`. */
export function inverse(p: readonly number[]): number[] {
  const q = new Array<number>(p.length);
  p.forEach((v, i) => q[v] = i);
  return q;
}

/** A constant transposed: dimension i of the result is dimension `perm[i]` of `t`. */
export function transposed(t: Tensor, perm: readonly number[]): Tensor {
  const shape = perm.map((p) => t.shape[p]!);
  const from = stridesOf(t.shape);
  const steps = perm.map((p) => from[p]!);
  const count = elementCount(shape);
  const data = allocate(t.dtype, count);
  const index = new Array<number>(shape.length).fill(0);
  let at = 0;
  for (let i = 0; i < count; i++) {
    (data as unknown[])[i] = t.data[at];
    for (let d = shape.length - 1; d >= 0; d--) {
      at += steps[d]!;
      if (++index[d]! < shape[d]!) break;
      at -= steps[d]! * shape[d]!;
      index[d] = 0;
    }
  }
  return { dtype: t.dtype, shape, data };
}

/** How a node works on permuted tensors. */
export interface Movable {
  /** Indices of the inputs that are permuted (activations and constants of full meaning). */
  readonly inputs: readonly number[];
  /** Whether the outputs are permuted as well; else they are as before (dimensions dropped). */
  readonly outputs: boolean;
  /** Attributes for the permuted node, where seen dimension i is stored dimension `p[i]`. */
  attrs(p: readonly number[]): Readonly<Record<string, Attr>>;
  /** Inputs that change besides (pads, axes): new constants by input index. */
  constants?(p: readonly number[]): ReadonlyMap<number, Tensor>;
}

const ELEMENTWISE = new Set([
  "Add",
  "And",
  "Div",
  "Equal",
  "Greater",
  "GreaterOrEqual",
  "Less",
  "LessOrEqual",
  "Max",
  "Mean",
  "Min",
  "Mod",
  "Mul",
  "Or",
  "Pow",
  "PRelu",
  "Sub",
  "Sum",
  "Where",
  "Xor",
]);
const AXIS = new Set(["Softmax", "LogSoftmax", "Hardmax", "Concat", "Split", "Gather"]);
const AXIS_DEFAULT = new Map([["Softmax", -1], ["LogSoftmax", -1], ["Hardmax", -1]]);
const REDUCE = /^Reduce(Mean|Sum|Max|Min|Prod|L1|L2|LogSum|LogSumExp|SumSquare)$/;

const nothing = () => ({});

/** Whether the kept dimensions stay in their order when seen dimension i is stored as p[i]. */
function keepsOrder(p: readonly number[], dropped: ReadonlySet<number>): boolean {
  const kept = p.filter((_, i) => !dropped.has(i));
  return kept.every((v, i) => i === 0 || v > kept[i - 1]!);
}

function movableReduce(
  w: Rewriter,
  n: Node,
  rank: number,
  p: readonly number[],
): Movable | undefined {
  const input = (n.inputs[1] ?? "") !== "";
  const given = input ? intsOf(w, n.inputs[1]) : [...intsAttr(n, "axes", [])];
  if (given === undefined || given.length === 0) return undefined;
  const axes = given.map((a) => a < 0 ? a + rank : a);
  const keepdims = intAttr(n, "keepdims", 1) !== 0;
  if (!keepdims && !keepsOrder(p, new Set(axes))) return undefined;
  const move = (q: readonly number[]) => axes.map((a) => q[a]!).sort((a, b) => a - b);
  return {
    inputs: [0],
    outputs: keepdims,
    attrs: (q): Readonly<Record<string, Attr>> => input ? {} : { axes: attr.ints(move(q)) },
    constants: (q) => input ? new Map([[1, i64(move(q))]]) : new Map(),
  };
}

/**
 * How node `n` would work on tensors of rank `p.length` whose dimensions are permuted; undefined when
 * it depends on their order. `p`: seen dimension i is stored dimension p[i].
 */
export function movable(w: Rewriter, n: Node, p: readonly number[]): Movable | undefined {
  const rank = p.length;
  const shape = w.shape(n.inputs[0] ?? "");
  if (UNARY.has(n.op) || n.op === "Dropout") {
    return shape?.length === rank ? { inputs: [0], outputs: true, attrs: nothing } : undefined;
  }
  if (n.domain !== "") return undefined;
  if (ELEMENTWISE.has(n.op)) {
    const inputs: number[] = [];
    for (const [i, name] of n.inputs.entries()) {
      const s = w.shape(name);
      if (s === undefined || s.length > rank) return undefined;
      if (s.length === 0) continue;
      if (w.constant(name) === undefined && s.length !== rank) return undefined;
      inputs.push(i);
    }
    const out = w.shape(n.outputs[0]!);
    return out?.length === rank ? { inputs, outputs: true, attrs: nothing } : undefined;
  }
  if (shape?.length !== rank) return undefined;
  if (AXIS.has(n.op)) {
    if (n.op === "Gather" && w.shape(n.inputs[1]!)?.length !== 1) return undefined;
    const fallback = AXIS_DEFAULT.get(n.op) ?? 0;
    const given = intAttr(n, "axis", fallback);
    const axis = given < 0 ? given + rank : given;
    const inputs = n.op === "Concat" ? n.inputs.map((_, i) => i) : [0];
    return { inputs, outputs: true, attrs: (q) => ({ axis: attr.int(q[axis]!) }) };
  }
  if (REDUCE.test(n.op)) return movableReduce(w, n, rank, p);
  if (n.op === "ArgMax" || n.op === "ArgMin") {
    const given = intAttr(n, "axis", 0);
    const axis = given < 0 ? given + rank : given;
    const keepdims = intAttr(n, "keepdims", 1) !== 0;
    if (!keepdims && !keepsOrder(p, new Set([axis]))) return undefined;
    return { inputs: [0], outputs: keepdims, attrs: (q) => ({ axis: attr.int(q[axis]!) }) };
  }
  if (n.op === "Pad") {
    const pads = intsOf(w, n.inputs[1]);
    if (pads?.length !== rank * 2 || (n.inputs[3] ?? "") !== "") return undefined;
    const move = (q: readonly number[]) => {
      const moved = new Array<number>(rank * 2);
      q.forEach((to, i) => {
        moved[to] = pads[i]!;
        moved[to + rank] = pads[i + rank]!;
      });
      return new Map([[1, i64(moved)]]);
    };
    return { inputs: [0], outputs: true, attrs: nothing, constants: move };
  }
  if (n.op === "Tile") {
    const repeats = intsOf(w, n.inputs[1]);
    if (repeats?.length !== rank) return undefined;
    const move = (q: readonly number[]) => new Map([[1, i64(inverse(q).map((i) => repeats[i]!))]]);
    return { inputs: [0], outputs: true, attrs: nothing, constants: move };
  }
  if (n.op === "Slice") {
    const starts = intsOf(w, n.inputs[1]);
    const axes = (n.inputs[3] ?? "") === "" ? starts?.map((_, i) => i) : intsOf(w, n.inputs[3]);
    if (starts === undefined || axes === undefined || axes.length !== starts.length) {
      return undefined;
    }
    const move = (q: readonly number[]) =>
      new Map([[3, i64(axes.map((a) => q[a < 0 ? a + rank : a]!))]]);
    return { inputs: [0], outputs: true, attrs: nothing, constants: move };
  }
  return undefined;
}

/** Why the BPU would lose a node that worked on permuted tensors; undefined where it would not. */
export function permutedLoss(
  w: Rewriter,
  n: Node,
  how: Movable,
  p: readonly number[],
): string | undefined {
  if (w.march === undefined) return undefined;
  const q = inverse(p);
  const types = new Map<string, TensorType>();
  const moved = [...how.inputs.map((i) => n.inputs[i]!), ...how.outputs ? n.outputs : []];
  for (const t of moved) {
    const type = w.type(t);
    if (type === undefined) continue;
    const shape = padShape(type.shape, p.length);
    types.set(t, { dtype: type.dtype, shape: q.map((i) => shape[i]!) });
  }
  const values = new Map<string, Tensor>();
  const inputs = [...n.inputs];
  for (const [i, t] of how.constants?.(p) ?? []) {
    while (inputs.length <= i) inputs.push("");
    inputs[i] = `${n.name} input ${i}`;
    values.set(inputs[i]!, t);
  }
  const news = { ...n, inputs, attrs: withAttrs(n.attrs, how.attrs(p)) };
  return lossOf(w, [n], [news], { types, values });
}
