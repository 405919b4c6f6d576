/**
 * Integer lowering of LayerNormalization and of its form without the mean (docs/arithmetic.md section 9c).
 *
 * @module
 */

import { attr, floatAttr, intAttr, intsAttr } from "../../ir/graph.ts";
import type { Node } from "../../ir/graph.ts";
import type { Tensor } from "../../ir/tensor.ts";
import { elementCount, numbersOf, tensor } from "../../ir/tensor.ts";
import { roundAway } from "../arithmetic.ts";
import { broadcastIndex } from "../broadcast.ts";
import { inverseRootTable } from "../hz/hz_layer_norm.ts";
import { settleWith } from "../hz/types.ts";
import { shapeError } from "../op.ts";
import type { InferContext, LowerContext, QuantSpec } from "../op.ts";
import { computedInput, emitForm, multipliers } from "./common.ts";

/** Scale of normalised values before the factors: steps of 2^-15. */
const FINE = 2 ** -15;

/** The first normalised dimension: `axis`, or the first of `axes`, of a node on rank-many dimensions. */
export function normalisedFrom(n: Node, rank: number): number {
  const axis = intsAttr(n, "axes", [])[0] ?? intAttr(n, "axis", -1);
  return axis < 0 ? axis + rank : axis;
}

/** The first normalised dimension of a node, which must be one of its input. */
export function normalisedAxis(c: InferContext): number {
  const rank = c.need(0).shape.length, at = normalisedFrom(c.node, rank);
  if (at < 0 || at >= rank) {
    shapeError(c.node, `axis ${at < 0 ? at - rank : at} is outside an input of rank ${rank}`);
  }
  return at;
}

/** A constant over all normalised dimensions. */
function spreadOut(t: Tensor, dims: readonly number[]): Float64Array {
  const values = numbersOf(t), index = broadcastIndex(t.shape.slice(-dims.length), dims);
  return Float64Array.from({ length: elementCount(dims) }, (_, i) => values[index?.[i] ?? i]!);
}

/** What the integer form asks beyond the placement rules. */
function limits(c: InferContext): string | undefined {
  const computed = computedInput(c);
  if (computed !== undefined) return computed;
  const rank = c.need(0).shape.length, at = normalisedAxis(c);
  for (const i of [1, 2]) {
    const t = c.constant(i);
    if (t === undefined) continue;
    if (!numbersOf(t).every((v) => Number.isFinite(v))) return `constant input ${i} is not finite`;
    if (t.shape.slice(0, Math.max(0, t.shape.length - (rank - at))).some((d) => d !== 1)) {
      return `constant input ${i} varies outside of the normalised dimensions`;
    }
  }
  return undefined;
}

/** The epsilon in the unit of the variance, which is (count / scale)^2. */
function epsilonOf(c: LowerContext, count: number, scale: number): number {
  const epsilon = roundAway(floatAttr(c.node, "epsilon", 1e-5) * (count / scale) ** 2);
  return epsilon < 2 ** 53
    ? epsilon
    : c.refuse(`its epsilon is too large beside an input of scale ${scale}`);
}

/** Factors and biases with one shift: that of the factors, or less where the biases need their bits. */
function affine(c: LowerContext, factors: Float64Array, biases: Float64Array) {
  let { s } = multipliers(c, [...factors])[0]!;
  const most = biases.reduce((a, v) => Math.max(a, Math.abs(v)), 0);
  while (s > 0 && most * 2 ** s >= 2 ** 31 - 1) s--;
  if (most * 2 ** s >= 2 ** 31 - 1) c.refuse("its bias is too large beside its output's scale");
  return {
    shift: s,
    m: Int16Array.from(factors, (f) => roundAway(f * 2 ** s)),
    b: Int32Array.from(biases, (v) => roundAway(v * 2 ** s)),
  };
}

/**
 * One operator from the mean, or the mean square, to the bias; nothing between is rounded to the type of
 * a tensor.
 */
function normQuant(op: string, zerosOf: (c: LowerContext) => Record<string, number>): QuantSpec {
  return {
    kind: "active",
    scale: "own",
    fusesActivation: true,
    limits,
    lower(c) {
      const x = c.input(0), y = c.output(), rank = x.shape.length;
      const from = normalisedFrom(c.node, rank);
      const dims = x.shape.slice(from), count = elementCount(dims);
      const scale = spreadOut(c.constant(1)!, dims);
      const bias = c.node.inputs[2] ? spreadOut(c.constant(2)!, dims) : new Float64Array(count);
      const k = affine(c, scale.map((v) => v * FINE / y.scale), bias.map((v) => v / y.scale));
      emitForm(
        c,
        op,
        [
          x.name,
          c.store("roots", inverseRootTable),
          c.store("m", tensor("int16", dims, k.m)),
          c.store("b", tensor("int32", dims, k.b)),
        ],
        [y.name],
        {
          axes: attr.ints(Array.from({ length: rank - from }, (_, i) => from + i)),
          count: attr.int(count),
          epsilon: attr.int(epsilonOf(c, count, x.scale)),
          shift: attr.int(k.shift),
          ...settleWith(c.range, y.dtype),
        },
        zerosOf(c),
      );
    },
  };
}

/** Layer normalisation: a zero point of x vanishes with the mean. */
export const layerNormQuant: QuantSpec = normQuant(
  "HzSLayerNormalization",
  (c) => ({ y_zero: c.output().zero }),
);

/** Division by the root mean square. */
export const rmsNormQuant: QuantSpec = normQuant(
  "HzSRMSNormalization",
  (c) => ({ x_zero: c.input(0).zero, y_zero: c.output().zero }),
);
