/**
 * BatchNormalization disappears into the linear operator before it, or after it.
 *
 * @module
 */

import { floatAttr, intAttr, type Node } from "../ir/graph.ts";
import { numbersOf } from "../ir/tensor.ts";
import {
  absorbAfter,
  absorbBefore,
  LINEAR,
  type Linear,
  linearOf,
  takesShift,
  unpadded,
} from "./linear.ts";
import { nodePass } from "./pass.ts";
import type { Rewriter } from "./rewriter.ts";

/** A BatchNormalization as y = x * scale + shift per channel. */
export interface Affine {
  readonly scale: Float64Array;
  readonly shift: Float64Array;
}

/** Scale and shift of an inference-mode BatchNormalization, or why there are none. */
export function batchNormAffine(w: Rewriter, n: Node): Affine | string {
  if (intAttr(n, "training_mode", 0) !== 0) return "it is in training mode";
  const values: (ArrayLike<number>)[] = [];
  for (let i = 1; i <= 4; i++) {
    const t = w.constant(n.inputs[i] ?? "");
    if (t === undefined) return "scale, bias, mean and variance are not all constant";
    if (t.dtype !== "float32") return `its statistics are ${t.dtype}`;
    values.push(numbersOf(t));
  }
  const [gamma, beta, mean, variance] = values as [
    ArrayLike<number>,
    ArrayLike<number>,
    ArrayLike<number>,
    ArrayLike<number>,
  ];
  const epsilon = Math.fround(floatAttr(n, "epsilon", 1e-5));
  const scale = new Float64Array(gamma.length);
  const shift = new Float64Array(gamma.length);
  for (let c = 0; c < scale.length; c++) {
    const s = variance[c]! + epsilon;
    if (!(s > 0)) return `variance + epsilon of channel ${c} is not positive`;
    scale[c] = gamma[c]! / Math.sqrt(s);
    shift[c] = beta[c]! - mean[c]! * scale[c]!;
  }
  return { scale, shift };
}

/** One linear operator takes the whole or a part of the affine function. */
interface Part {
  readonly linear: Linear;
  readonly from: number;
}

type Match =
  | { readonly kind: "after"; readonly affine: Affine; readonly parts: readonly Part[] }
  | { readonly kind: "before"; readonly affine: Affine; readonly readers: readonly Linear[] };

/** The linear operator that alone feeds `name`, or why it cannot take the function. */
function feeder(w: Rewriter, name: string): Linear | string | undefined {
  const p = w.producerOf(name, ...LINEAR);
  if (p === undefined) return undefined;
  if (w.onlyUser(name) === undefined) {
    return `the result of ${p.name} is shared: ${w.whyShared(name)}`;
  }
  return takesShift(w, p) ? linearOf(w, p) : `${p.name} is a MatMul of rank above 2, without bias`;
}

function concatParts(w: Rewriter, concat: Node): Part[] | string {
  const out = w.shape(concat.outputs[0]!);
  if (out === undefined) return "the shape of the Concat before it is not known";
  const axis = intAttr(concat, "axis");
  if ((axis < 0 ? axis + out.length : axis) !== 1) {
    return "the Concat before it is not along channels";
  }
  if (w.onlyUser(concat.outputs[0]!) === undefined) {
    return `the result of ${concat.name} is shared: ${w.whyShared(concat.outputs[0]!)}`;
  }
  if (new Set(concat.inputs).size !== concat.inputs.length) {
    return `${concat.name} takes a tensor twice`;
  }
  const parts: Part[] = [];
  let from = 0;
  for (const name of concat.inputs) {
    const l = feeder(w, name);
    if (l === undefined) return `${concat.name} also joins ${name}, which no convolution makes`;
    if (typeof l === "string") return l;
    parts.push({ linear: l, from });
    from += l.outputs;
  }
  return parts;
}

/** Every reader as a linear operator that takes the function on its input side. */
function readersOf(w: Rewriter, n: Node, affine: Affine): Linear[] | string {
  const out = n.outputs[0]!;
  if (w.pinned(out)) return w.whyShared(out);
  const readers: Linear[] = [];
  const shifts = affine.shift.some((v) => v !== 0);
  for (const user of w.users(out)) {
    const l = inputSide(w, user, out, shifts);
    if (typeof l === "string") return l;
    readers.push(l);
  }
  return readers.length === 0 ? "nothing reads it" : readers;
}

/** A linear operator that can take a function of its input `name` into its weights. */
export function inputSide(
  w: Rewriter,
  user: Node,
  name: string,
  shifts: boolean,
): Linear | string {
  if (user.domain !== "" || !LINEAR.some((op) => op === user.op)) {
    return `${user.name} (${user.op}), which reads it, has no weights to fold into`;
  }
  if (user.inputs.filter((i) => i === name).length !== 1 || user.inputs[0] !== name) {
    return `${user.name} reads it as weights`;
  }
  if (user.op === "Gemm" && intAttr(user, "transA", 0) !== 0) return `${user.name} transposes it`;
  if (user.op === "MatMul" && (w.shape(name)?.length !== 2 || shifts && !takesShift(w, user))) {
    return `${user.name} is a MatMul of rank above 2`;
  }
  if (shifts && user.op === "ConvTranspose") {
    return `${user.name} is a ConvTranspose: a shift before it reaches borders differently`;
  }
  if (shifts && user.op === "Conv" && !unpadded(user)) {
    return `${user.name} pads with zeros, which a shift before it would change`;
  }
  return linearOf(w, user);
}

/**
 * Conv, ConvTranspose, Gemm -> BN becomes the linear operator alone: with s = gamma / sqrt(var + eps),
 * W' = W s, b' = (b - mean) s + beta. BN -> Conv the same on the input side where no padding is
 * involved. BN behind a Concat of convolutions is given to each of them.
 */
export const foldBatchNorm = nodePass<Match>({
  name: "fold_batch_norm",
  doc: `Conv -> BatchNormalization            =>  Conv
{Conv, Conv} -> Concat -> BatchNormalization  =>  {Conv, Conv} -> Concat
BatchNormalization -> Conv (no padding)       =>  Conv`,
  ops: ["BatchNormalization"],
  check(w, n) {
    const affine = batchNormAffine(w, n);
    if (typeof affine === "string") return affine;
    const x = n.inputs[0]!;
    let why: string;
    const before = feeder(w, x);
    if (before !== undefined && typeof before !== "string") {
      return { kind: "after", affine, parts: [{ linear: before, from: 0 }] };
    }
    const concat = w.producerOf(x, "Concat");
    if (concat !== undefined) {
      const parts = concatParts(w, concat);
      if (typeof parts !== "string") return { kind: "after", affine, parts };
      why = parts;
    } else why = before ?? `no convolution makes ${x}`;
    const readers = readersOf(w, n, affine);
    return typeof readers === "string" ? `${why}; ${readers}` : { kind: "before", affine, readers };
  },
  rewrite(w, n, m) {
    const { scale, shift } = m.affine;
    const [x, out] = [n.inputs[0]!, n.outputs[0]!];
    if (m.kind === "before") {
      for (const l of m.readers) absorbBefore(w, l, scale, shift, x);
      w.remove(n);
      return;
    }
    w.remove(n);
    const whole = m.parts.length === 1 && m.parts[0]!.linear.node.outputs[0] === x;
    for (const { linear, from } of m.parts) {
      const to = from + linear.outputs;
      const target = whole ? out : linear.node.outputs[0]!;
      absorbAfter(w, linear, scale.slice(from, to), shift.slice(from, to), target);
    }
    if (!whole) {
      const concat = w.producer(x)!;
      w.alter(concat, { outputs: [out] });
    }
  },
});
