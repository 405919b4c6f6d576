/**
 * Integer lowering of one-input functions by table (docs/arithmetic.md section 6).
 *
 * @module
 */

import type { Node } from "../../ir/graph.ts";
import { tensor } from "../../ir/tensor.ts";
import type { Tensor } from "../../ir/tensor.ts";
import { lut8 } from "../arithmetic.ts";
import type { LowerContext, QuantSpec } from "../op.ts";

/** Real function of a node: attributes and constant inputs are read from it. */
export type RealFunction = (
  n: Node,
  constant: (i: number) => Tensor | undefined,
) => (x: number) => number;

/** Emits a table for `f` from quantized input 0 to output 0. */
export function emitLut(c: LowerContext, f: (x: number) => number): void {
  const x = c.input(0), y = c.output();
  if (x.dtype !== "int8" || y.dtype !== "int8") c.refuse("its int16 table is not available yet");
  const table = lut8(f, x, { scale: y.scale, zero: y.zero, ...c.range });
  c.emit("HzLut", [x.name, c.store("table", tensor("int8", [256], table))], [y.name]);
}

/** Lowering of a one-input function; `bound` is its largest magnitude where it has one. */
export function lutQuant(real: RealFunction, extra: Partial<QuantSpec> = {}): QuantSpec {
  return {
    kind: "active",
    scale: "own",
    ...extra,
    lower: (c) => emitLut(c, real(c.node, (i) => c.constant(i))),
  };
}
