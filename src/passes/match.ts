/**
 * Looking at constants and small patterns: what several passes ask.
 *
 * @module
 */

import { type Node, node } from "../ir/graph.ts";
import { elementCount, i64, numbersOf, sameShape, type Tensor } from "../ir/tensor.ts";
import type { Rewriter } from "./rewriter.ts";

/** Largest finite float32: exporters write it where they mean infinity. */
export const FLT_MAX = 3.4028234663852886e38;

/** Value of a constant with one element. */
export function scalarOf(w: Rewriter, name: string | undefined): number | undefined {
  const t = name === undefined ? undefined : w.constant(name);
  if (t === undefined || t.dtype === "string" || t.data.length !== 1) return undefined;
  return Number(numbersOf(t)[0]);
}

/** Integers of a constant. */
export function intsOf(w: Rewriter, name: string | undefined): number[] | undefined {
  const t = name === undefined ? undefined : w.constant(name);
  if (t === undefined || (t.dtype !== "int64" && t.dtype !== "int32")) return undefined;
  return Array.from(numbersOf(t));
}

/** Whether a constant read from a file as float32 stands for `value`. */
export function isClose(x: number | undefined, value: number): boolean {
  return x !== undefined && Math.abs(x - value) <= 2e-7 * Math.max(1, Math.abs(value));
}

/** Whether every element equals `value`. */
export function allEqual(t: Tensor, value: number): boolean {
  if (t.dtype === "string") return false;
  for (const v of numbersOf(t)) if (v !== value) return false;
  return true;
}

/** A two-input node split into its activation and its constant. */
export interface WithConstant {
  /** The activation's name and input index. */
  readonly x: string;
  readonly at: 0 | 1;
  readonly constant: Tensor;
  readonly constantName: string;
}

/** The activation and the constant of a binary node whose result has the activation's shape. */
export function withConstant(w: Rewriter, n: Node): WithConstant | undefined {
  if (n.inputs.length !== 2) return undefined;
  const [a, b] = [n.inputs[0]!, n.inputs[1]!];
  const at = w.constant(b) !== undefined ? 0 : w.constant(a) !== undefined ? 1 : undefined;
  if (at === undefined) return undefined;
  const [x, constantName] = at === 0 ? [a, b] : [b, a];
  const constant = w.constant(constantName)!;
  if (w.constant(x) !== undefined) return undefined;
  const xs = w.shape(x);
  const ys = w.shape(n.outputs[0]!);
  if (xs === undefined || ys === undefined || !sameShape(xs, ys)) return undefined;
  return { x, at, constant, constantName };
}

/**
 * A constant as one value per entry of `axis`: a scalar, or a tensor that broadcasts along every
 * other dimension of a tensor of shape `shape`. Undefined when it varies along another dimension.
 */
export function alongAxis(
  t: Tensor,
  shape: readonly number[],
  axis: number,
): Float64Array | undefined {
  if (t.dtype === "string" || t.shape.length > shape.length) return undefined;
  const channels = shape[axis];
  if (channels === undefined || channels < 0) return undefined;
  const values = numbersOf(t);
  const count = elementCount(t.shape);
  if (count === 1) return new Float64Array(channels).fill(values[0]!);
  const lead = shape.length - t.shape.length;
  for (let i = 0; i < t.shape.length; i++) {
    if (t.shape[i] !== 1 && i + lead !== axis) return undefined;
  }
  return count === channels ? Float64Array.from(values) : undefined;
}

/** A Reshape of `x` to `shape`; its first entry is 0 ("as the input") where that holds. */
export function reshapeNode(
  w: Rewriter,
  name: string,
  x: string,
  out: string,
  shape: readonly number[],
): Node {
  return node("Reshape", name, [x, w.store(`${name}_shape`, reshapeShape(w.shape(x), shape))], [
    out,
  ]);
}

/** The shape input of a Reshape: keeps the batch dimension open where input and output share it. */
export function reshapeShape(from: readonly number[] | undefined, to: readonly number[]): Tensor {
  const batch = from !== undefined && to.length > 1 && from[0] === to[0] && !to.includes(0);
  return i64(batch ? [0, ...to.slice(1)] : to);
}

/** Operators that act on each element alone and take one activation (other inputs constant scalars). */
export const UNARY: ReadonlySet<string> = new Set([
  "Abs",
  "Acos",
  "Acosh",
  "Asin",
  "Asinh",
  "Atan",
  "Atanh",
  "Cast",
  "Ceil",
  "Celu",
  "Clip",
  "Cos",
  "Cosh",
  "Elu",
  "Erf",
  "Exp",
  "Floor",
  "HardSigmoid",
  "HardSwish",
  "HzGelu",
  "HzGeluTanh",
  "HzMish",
  "HzSwish",
  "Identity",
  "IsInf",
  "IsNaN",
  "LeakyRelu",
  "Log",
  "Mish",
  "Neg",
  "Not",
  "Reciprocal",
  "Relu",
  "Round",
  "Selu",
  "Shrink",
  "Sigmoid",
  "Sign",
  "Sin",
  "Sinh",
  "Softplus",
  "Softsign",
  "Sqrt",
  "Tan",
  "Tanh",
  "ThresholdedRelu",
]);
