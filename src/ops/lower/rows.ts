/**
 * Integer lowering of products of rows with a constant matrix (docs/arithmetic.md section 4): a 1x1
 * convolution of rows seen as pictures of one pixel, so that each column has its own weight scale. Both
 * Reshapes are views that belong to the product; no row of the table is asked for them.
 *
 * @module
 */

import { attr } from "../../ir/graph.ts";
import { elementCount, i64 } from "../../ir/tensor.ts";
import type { LowerContext } from "../op.ts";
import { emitConv } from "./conv_store.ts";

/** A constant matrix with one row of weights per output column. */
export interface Columns {
  readonly inputs: number;
  readonly outputs: number;
  /** Weight of output column o and input column i. */
  weight(o: number, i: number): number;
  readonly bias?: ArrayLike<number>;
}

/** Emits the product of the rows (the last dimension) of input 0 with a constant matrix. */
export function emitRows(c: LowerContext, m: Columns): void {
  const x = c.input(0), y = c.output();
  const rows = elementCount(x.shape) / m.inputs;
  const values = new Float32Array(m.outputs * m.inputs);
  for (let o = 0, at = 0; o < m.outputs; o++) {
    for (let i = 0; i < m.inputs; i++) values[at++] = m.weight(o, i);
  }
  const view = (from: string, to: string, shape: readonly number[]) =>
    c.emit("Reshape", [from, c.store("view", i64(shape))], [to], {}, "");
  const picture = { ...x, shape: [rows, m.inputs, 1, 1] };
  const out = { ...y, shape: [rows, m.outputs, 1, 1] };
  const from = c.temp("rows", x.dtype, picture.shape);
  const to = c.temp("products", y.dtype, out.shape);
  view(x.name, from, picture.shape);
  emitConv(c, {
    x: { ...picture, name: from },
    weight: { shape: [m.outputs, m.inputs, 1, 1], values },
    ...(m.bias === undefined ? {} : { bias: m.bias }),
    window: {
      pads: attr.ints([0, 0, 0, 0]),
      strides: attr.ints([1, 1]),
      dilations: attr.ints([1, 1]),
      group: attr.int(1),
    },
    out: { ...out, name: to },
    range: c.range,
    op: "HzSQuantizedConv",
  });
  view(to, y.name, y.shape);
}
