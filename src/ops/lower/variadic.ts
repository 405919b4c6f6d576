/**
 * Integer lowering of Max, Min, Sum and Mean of any number of inputs.
 *
 * @module
 */

import { broadcastShape } from "../broadcast.ts";
import { codeOf, settleWith } from "../hz/types.ts";
import { attr } from "../../ir/graph.ts";
import { MIN_SCALE, qmaxOf, reachOf } from "../arithmetic.ts";
import type { LowerContext, QTensor, QuantSpec, RuleContext } from "../op.ts";
import { emitForm, inScaleOf, int32, multipliers, shift, storeFactor } from "./common.ts";

function someActivation(c: RuleContext): string | undefined {
  return c.node.inputs.every((_, i) => c.constant(i) !== undefined)
    ? "all its inputs are constants"
    : undefined;
}

/** One tensor in the scale of the output. */
function rescale(c: LowerContext, x: QTensor): void {
  const y = c.output();
  emitForm(
    c,
    "HzRequantize",
    [x.name, ...storeFactor(c, x.scale / y.scale)],
    [y.name],
    settleWith(c.range, y.dtype),
    { x_zero: x.zero, y_zero: y.zero },
  );
}

/** Max or Min: all inputs in the scale of the output, then two at a time. */
function extreme(op: string, kind: QuantSpec["kind"]): QuantSpec {
  return {
    kind,
    scale: "own",
    alignsInputs: true,
    limits: someActivation,
    lower(c) {
      const y = c.output();
      if (c.inputCount === 1) return rescale(c, c.input(0));
      const to = attr.int(codeOf(y.dtype));
      let left = inScaleOf(c, 0, y), shape = c.input(0).shape;
      for (let i = 1; i < c.inputCount; i++) {
        const right = inScaleOf(c, i, y);
        shape = broadcastShape(c.node, [shape, c.input(i).shape]);
        const out = i === c.inputCount - 1 ? y.name : c.temp(`part${i}`, y.dtype, shape);
        c.emit(op, [left, right], [out], { to });
        left = out;
      }
    },
  };
}

export const maxQuant: QuantSpec = extreme("HzSElementwiseMax", "passive");
/** On the CPU unless asked for, as the table says. */
export const minQuant: QuantSpec = extreme("HzSElementwiseMin", "manual");

/** Sum or Mean: partial sums are int16 in a scale that holds every possible one. */
function sum(mean: boolean): QuantSpec {
  return {
    kind: "active",
    scale: "own",
    fusesActivation: true,
    limits: someActivation,
    lower(c) {
      const y = c.output(), n = c.inputCount;
      // The division by n is part of the last scale.
      const last = mean ? y.scale * n : y.scale;
      if (n === 1) return rescale(c, c.input(0));
      const reach = (q: QTensor) =>
        q.scale * reachOf(q.dtype === "int8" ? "int8" : "int16", q.zero);
      let left = c.input(0), total = reach(left);
      for (let i = 1; i < n; i++) {
        const right = c.input(i);
        total += reach(right);
        const shape = broadcastShape(c.node, [left.shape, right.shape]);
        const final = i === n - 1;
        const scale = final ? last : Math.fround(Math.max(total / qmaxOf("int16"), MIN_SCALE));
        const out = final ? y.name : c.temp(`part${i}`, "int16", shape);
        const [k1, k2] = multipliers(c, [left.scale / scale, right.scale / scale]);
        emitForm(
          c,
          "HzSElementwiseAdd",
          [
            left.name,
            right.name,
            c.store("m1", int32(k1!.m)),
            c.store("m2", int32(k2!.m)),
            c.store("shift", shift(k1!.s)),
          ],
          [out],
          final ? settleWith(c.range, y.dtype) : settleWith({ qmin: -32768, qmax: 32767 }, "int16"),
          { a_zero: left.zero, b_zero: right.zero, y_zero: final ? y.zero : 0 },
        );
        left = { name: out, dtype: "int16", shape, scale, zero: 0 };
      }
    },
  };
}

export const sumQuant: QuantSpec = sum(false);
export const meanQuant: QuantSpec = sum(true);
