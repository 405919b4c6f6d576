/**
 * Integer lowering of reductions (docs/arithmetic.md section 7).
 *
 * @module
 */

import { attr } from "../../ir/graph.ts";
import { reachOf } from "../arithmetic.ts";
import { codeOf, settleWith } from "../hz/types.ts";
import type { InferContext, LowerContext, QuantSpec } from "../op.ts";
import { reducedAxes } from "../reduce.ts";
import { emitForm, inferView, rank4, storeFactor } from "./common.ts";

function emitSum(c: LowerContext, op: string, axes: readonly number[], mean: boolean): void {
  const x = c.input(0), y = c.output();
  const n = axes.reduce((a, i) => a * x.shape[i]!, 1);
  if (n * reachOf(x.dtype === "int8" ? "int8" : "int16", x.zero) >= 2 ** 31) {
    c.refuse(`a sum over ${n} elements does not fit int32`);
  }
  emitForm(
    c,
    op,
    [x.name, ...storeFactor(c, x.scale / ((mean ? n : 1) * y.scale))],
    [y.name],
    {
      axes: attr.ints(axes),
      keepdims: attr.int(y.shape.length === x.shape.length ? 1 : 0),
      ...settleWith(c.range, y.dtype),
    },
    { x_zero: x.zero, y_zero: y.zero },
  );
}

/** Refuses axes that are computed and reductions of nothing. */
function limits(c: InferContext): string | undefined {
  const axes = reducedAxes(c);
  if (axes === undefined) return "its axes are computed, not constant";
  return axes.some((a) => c.need(0).shape[a] === 0) ? "it reduces nothing" : undefined;
}

/** ReduceMean and ReduceSum. */
export function reduceSumQuant(op: string, mean: boolean): QuantSpec {
  return {
    kind: "active",
    scale: "own",
    limits,
    lower: (c) => emitSum(c, op, reducedAxes(inferView(c))!, mean),
  };
}

function emitExtreme(c: LowerContext, op: string, axes: readonly number[]): void {
  const x = c.input(0), y = c.output();
  c.emit(op, [x.name], [y.name], {
    axes: attr.ints(axes),
    keepdims: attr.int(y.shape.length === x.shape.length ? 1 : 0),
    to: attr.int(codeOf(y.dtype)),
  });
}

/** ReduceMax and ReduceMin: values keep their scale. */
export function reduceExtremeQuant(op: string): QuantSpec {
  return {
    kind: "passive",
    scale: "input",
    limits,
    lower: (c) => emitExtreme(c, op, reducedAxes(inferView(c))!),
  };
}

export const globalAveragePoolQuant: QuantSpec = {
  kind: "active",
  scale: "own",
  limits: rank4,
  lower: (c) => emitSum(c, "HzQuantizedGlobalAveragePool", [2, 3], true),
};

export const globalMaxPoolQuant: QuantSpec = {
  kind: "passive",
  scale: "input",
  limits: rank4,
  lower: (c) => emitExtreme(c, "HzQuantizedGlobalMaxPool", [2, 3]),
};
