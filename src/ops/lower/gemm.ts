/**
 * Integer lowering of Gemm with constant weights, on marches that take it as it is.
 *
 * @module
 */

import { floatAttr, intAttr } from "../../ir/graph.ts";
import { elementCount, numbersOf } from "../../ir/tensor.ts";
import type { QuantSpec } from "../op.ts";
import { computedInput } from "./common.ts";
import { emitRows } from "./rows.ts";

/** Gemm -> Reshape, HzSQuantizedConv, Reshape. */
export const gemmQuant: QuantSpec = {
  kind: "active",
  scale: "own",
  heavy: true,
  fusesActivation: true,
  limits(c) {
    const computed = computedInput(c);
    if (computed !== undefined) return computed;
    if (intAttr(c.node, "transA", 0) !== 0) return "its rows are the columns of its input (transA)";
    const bias = c.constant(2);
    const perColumn = bias === undefined || elementCount(bias.shape) === 1 ||
      elementCount(bias.shape) === bias.shape.at(-1);
    return perColumn ? undefined : "its bias differs from row to row";
  },
  lower(c) {
    const w = c.constant(1)!, values = numbersOf(w), bias = c.constant(2);
    const turned = intAttr(c.node, "transB", 0) !== 0;
    const [d0, d1] = w.shape as [number, number];
    const alpha = Math.fround(floatAttr(c.node, "alpha", 1));
    const beta = Math.fround(floatAttr(c.node, "beta", 1));
    const outputs = turned ? d0 : d1;
    const shift = bias === undefined ? undefined : numbersOf(bias);
    emitRows(c, {
      inputs: turned ? d1 : d0,
      outputs,
      weight: (o, i) => alpha * (turned ? values[o * d1 + i]! : values[i * d1 + o]!),
      ...(shift === undefined ? {} : {
        bias: Float64Array.from({ length: outputs }, (_, o) => beta * shift[o % shift.length]!),
      }),
    });
  },
};
