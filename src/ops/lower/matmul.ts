/**
 * Integer lowering of MatMul (docs/arithmetic.md section 4). Products with one constant matrix are made
 * convolutions before, or here where the march takes them as they are; what is left has two feature maps,
 * or a constant that differs over the batch.
 *
 * @module
 */

import { reachOf } from "../arithmetic.ts";
import type { Tensor } from "../../ir/tensor.ts";
import { numbersOf } from "../../ir/tensor.ts";
import { settleWith } from "../hz/types.ts";
import type { QuantSpec } from "../op.ts";
import { emitForm, storeFactor } from "./common.ts";
import { emitRows } from "./rows.ts";

/** Largest K whose int8 sums fit int32, and whose int16 sums times a multiplier stay below 2^62. */
const WIDE_K = 2 ** 15;

/** Whether a constant on the right is one matrix, or one column. */
const isMatrix = (t: Tensor | undefined): boolean =>
  t !== undefined && t.shape.length > 0 && t.shape.slice(0, -2).every((d) => d === 1);

export const matmulQuant: QuantSpec = {
  kind: "active",
  scale: "own",
  heavy: true,
  fusesActivation: true,
  limits(c) {
    if (c.constant(0) === undefined && isMatrix(c.constant(1))) return undefined;
    const [a, b] = [c.need(0).shape, c.need(1).shape];
    if (a.length < 2 || b.length < 2) return "the integer form takes matrices, not vectors";
    if (c.constant(0) !== undefined && c.constant(1) !== undefined) {
      return "both inputs are constants";
    }
    const k = a[a.length - 1]!;
    return k > WIDE_K ? `sums over ${k} products may not fit the accumulator` : undefined;
  },
  lower(c) {
    const matrix = c.isConstant(1) ? c.constant(1) : undefined;
    if (matrix !== undefined && isMatrix(matrix)) {
      const values = numbersOf(matrix);
      const outputs = matrix.shape.length === 1 ? 1 : matrix.shape.at(-1)!;
      emitRows(c, {
        inputs: values.length / outputs,
        outputs,
        weight: (o, i) => values[i * outputs + o]!,
      });
      return;
    }
    const a = c.input(0), b = c.input(1), y = c.output();
    const k = a.shape[a.shape.length - 1]!;
    const wide = a.dtype === "int16" || b.dtype === "int16";
    // Float32 sums are exact below 2^24.
    const deep = !wide && k * reachOf("int8", a.zero) * reachOf("int8", b.zero) > 2 ** 24;
    emitForm(
      c,
      `HzSQuantizedMatmul${wide ? "I16" : deep ? "Deep" : ""}`,
      [a.name, b.name, ...storeFactor(c, a.scale * b.scale / y.scale)],
      [y.name],
      settleWith(c.range, y.dtype),
      { a_zero: a.zero, b_zero: b.zero, y_zero: y.zero },
    );
  },
};
