/**
 * What the ten reductions share: axes from an input or an attribute, output shape, folding.
 *
 * @module
 */

import { intAttr } from "../ir/graph.ts";
import { allocate, elementCount, type Tensor, type TensorType } from "../ir/tensor.ts";
import { axesOf, listArg, unknownDims } from "./args.ts";
import { unknownShape } from "./context.ts";
import { fromDoubles, integerOf, isBig, isFloat, toDoubles } from "./convert.ts";
import { foldable, permute } from "./nd.ts";
import type { InferContext, OpDef } from "./op.ts";

/** A reduction of `n` values of `v` from `at` on. */
export interface Reduction {
  readonly op: string;
  /** In binary64; the result is rounded to the element type (integers: truncated). */
  number(v: Float64Array, at: number, n: number): number;
  /** For 64-bit integers; absent: through binary64. */
  big?(v: BigInt64Array | BigUint64Array, at: number, n: number): bigint;
  readonly place: OpDef["place"];
  readonly quant?: OpDef["quant"];
}

/** Reduced axes, ascending; all of them by default; undefined when not constant. */
export function reducedAxes(c: InferContext): number[] | undefined {
  const rank = c.need(0).shape.length;
  const list = listArg(c, 1, "axes");
  if (list === "dynamic") return undefined;
  if (list === "absent" || list.length === 0) {
    if (intAttr(c.node, "noop_with_empty_axes", 0) !== 0) return [];
    return Array.from({ length: rank }, (_, i) => i);
  }
  return axesOf(c.node, list, rank).sort((a, b) => a - b);
}

/** Shape after dropping the axes, or keeping them as 1. */
export function reducedShape(
  shape: readonly number[],
  axes: readonly number[],
  keep: boolean,
): number[] {
  return keep
    ? shape.map((d, i) => axes.includes(i) ? 1 : d)
    : shape.filter((_, i) => !axes.includes(i));
}

function infer(c: InferContext): TensorType[] {
  const { dtype, shape } = c.need(0);
  const axes = reducedAxes(c);
  const keep = intAttr(c.node, "keepdims", 1) !== 0;
  if (axes !== undefined) return [{ dtype, shape: reducedShape(shape, axes, keep) }];
  if (keep) return [{ dtype, shape: unknownDims(shape.length) }];
  const n = c.need(1).shape[0] ?? -1;
  if (n < 0) unknownShape(c.node, "axes is not a constant");
  return [{ dtype, shape: unknownDims(Math.max(0, shape.length - n)) }];
}

/** The tensor with the given axes moved to the end, so that each reduction is one run. */
export function axesLast(t: Tensor, axes: readonly number[]): Tensor {
  const rest = t.shape.map((_, i) => i).filter((i) => !axes.includes(i));
  const perm = [...rest, ...axes];
  return perm.every((p, i) => p === i) ? t : permute(t, perm);
}

function fold(c: InferContext, r: Reduction): Tensor[] | undefined {
  const x = c.constant(0);
  if (x === undefined || x.dtype === "string") return undefined;
  const axes = reducedAxes(c);
  if (axes === undefined) return undefined;
  if (axes.length === 0 && x.shape.length > 0) return [x];
  const { dtype } = x;
  const shape = reducedShape(x.shape, axes, intAttr(c.node, "keepdims", 1) !== 0);
  if (!foldable(shape)) return undefined;
  const run = axesLast(x, axes);
  const n = elementCount(axes.map((a) => x.shape[a]!));
  const count = elementCount(shape);
  const { big } = r;
  if (big !== undefined && isBig(dtype)) {
    const v = run.data as BigInt64Array;
    const data = allocate(dtype, count) as BigInt64Array;
    for (let i = 0; i < count; i++) data[i] = big(v, i * n, n);
    return [{ dtype, shape, data }];
  }
  const v = toDoubles(run);
  const out = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const y = r.number(v, i * n, n);
    out[i] = isFloat(dtype) ? y : integerOf(dtype, y);
  }
  return [{ dtype, shape, data: fromDoubles(dtype, out) }];
}

/** The definition of a reduction. */
export function reduceOp(r: Reduction): OpDef {
  return {
    op: r.op,
    infer,
    fold: (c) => fold(c, r),
    place: r.place,
    ...(r.quant === undefined ? {} : { quant: r.quant }),
  };
}

/** Sum of f(value) in binary64. */
export function sumOf(
  v: Float64Array,
  at: number,
  n: number,
  f: (x: number) => number = (x) => x,
): number {
  let s = 0;
  for (let i = at; i < at + n; i++) s += f(v[i]!);
  return s;
}

/** Sum of f(value) of 64-bit integers. */
export function bigSumOf(
  v: BigInt64Array | BigUint64Array,
  at: number,
  n: number,
  f: (x: bigint) => bigint = (x) => x,
): bigint {
  let s = 0n;
  for (let i = at; i < at + n; i++) s += f(v[i]!);
  return s;
}
