/**
 * Axes, lists of integers and dimension arithmetic as operators read them from attributes and inputs.
 *
 * @module
 */

import { BpuError } from "../errors.ts";
import { intsAttr, type Node } from "../ir/graph.ts";
import { type DType, elementCount, isStatic, shapeText, type Tensor } from "../ir/tensor.ts";
import { given, modelError, unknownShape } from "./context.ts";
import { dtypeOfCode } from "./convert.ts";
import { type InferContext, shapeError } from "./op.ts";

/** Non-negative axis of a tensor of that rank. */
export function axisOf(n: Node, axis: number, rank: number, what = "axis"): number {
  const a = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || a < 0 || a >= rank) {
    return shapeError(n, `${what} ${axis} is outside -${rank}..${rank - 1}`);
  }
  return a;
}

/** Non-negative distinct axes. */
export function axesOf(n: Node, axes: readonly number[], rank: number): number[] {
  const out = axes.map((a) => axisOf(n, a, rank));
  if (new Set(out).size !== out.length) shapeError(n, `axes [${axes.join(", ")}] repeat an axis`);
  return out;
}

/** Elements of an integer tensor as numbers (values beyond 2^53 are rounded: they are only limits). */
export function integersOf(n: Node, t: Tensor, what: string): number[] {
  const d = t.data;
  if (Array.isArray(d)) return modelError(n, `${what} is a string tensor`);
  return Array.from(d as ArrayLike<number | bigint>, Number);
}

/** Constant integer input; undefined when it is not given or not constant. */
export function integerInput(c: InferContext, i: number, what: string): number[] | undefined {
  const t = c.constant(i);
  return t === undefined ? undefined : integersOf(c.node, t, what);
}

/** One count as a constant input (a scalar or a single element); -1 when it is not constant. */
export function countInput(c: InferContext, i: number, what: string): number {
  const list = integerInput(c, i, what);
  if (list === undefined) return -1;
  const n = list.length === 1 ? list[0]! : NaN;
  if (Number.isSafeInteger(n) && n >= 0) return n;
  return modelError(c.node, `${what} [${list.join(", ")}] is not one count`);
}

/** How a list of integers is known: its values, `absent`, or `dynamic` (an input without a value). */
export type IntegerList = readonly number[] | "absent" | "dynamic";

/** A list that newer opsets take as input i and older ones as an attribute. */
export function listArg(c: InferContext, i: number, key: string): IntegerList {
  if (given(c, i)) return integerInput(c, i, key) ?? "dynamic";
  return c.node.attrs.has(key) ? intsAttr(c.node, key) : "absent";
}

/** Length of a 1-D shape-like input; unknown shape when its own length is unknown. */
export function lengthOf(c: InferContext, i: number, what: string): number {
  const { shape } = c.need(i);
  if (shape.length !== 1) {
    return shapeError(c.node, `${what} must be a 1-D tensor, its shape is ${shapeText(shape)}`);
  }
  const n = shape[0]!;
  return n < 0 ? unknownShape(c.node, `the length of ${what} is not known`) : n;
}

/** `count` unknown dimensions. */
export function unknownDims(count: number): number[] {
  return new Array<number>(count).fill(-1);
}

/** Product of dimensions; -1 when one is unknown (0 wins). */
export function product(dims: readonly number[]): number {
  if (dims.includes(0)) return 0;
  return isStatic(dims) ? elementCount(dims) : -1;
}

/** Dimensions of a target shape: non-negative integers. */
export function checkedShape(n: Node, dims: readonly number[], what: string): number[] {
  for (const d of dims) {
    if (!Number.isSafeInteger(d) || d < 0) shapeError(n, `${what} [${dims.join(", ")}] is invalid`);
  }
  return [...dims];
}

/** One dimension seen twice; -1 is unknown; an error when they contradict. */
export function unify(n: Node, a: number, b: number, what: string): number {
  if (a === -1) return b;
  if (b === -1 || a === b) return a;
  return shapeError(n, `${what}: ${a} and ${b} contradict`);
}

/** Element type of an ONNX data type number in an attribute; `unsupported` when we have none. */
export function dtypeAttr(n: Node, code: number, key: string): DType {
  const dtype = dtypeOfCode(code);
  if (dtype !== undefined) return dtype;
  throw new BpuError("unsupported", `${key}=${code} is not an element type that can be converted`, {
    node: n.name,
    op: n.op,
  });
}

/** Rank check. */
export function needRank(n: Node, shape: readonly number[], rank: number, what: string): void {
  if (shape.length !== rank) {
    shapeError(n, `${what} must have rank ${rank}, its shape is ${shapeText(shape)}`);
  }
}
