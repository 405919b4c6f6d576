/**
 * Integer lowering of one-input functions by table (docs/arithmetic.md section 6).
 *
 * @module
 */

import type { Node } from "../../ir/graph.ts";
import { tensor } from "../../ir/tensor.ts";
import type { Tensor } from "../../ir/tensor.ts";
import { lut16, lut8, lut8to16, multiplierOf, qmaxOf } from "../arithmetic.ts";
import { settleWith } from "../hz/types.ts";
import type { LowerContext, QTensor, QuantSpec } from "../op.ts";

/** Real function of a node: attributes and constant inputs are read from it. */
export type RealFunction = (
  n: Node,
  constant: (i: number) => Tensor | undefined,
) => (x: number) => number;

/** Emits a table for `f` from quantized input 0 to output 0. */
export function emitLut(c: LowerContext, f: (x: number) => number): void {
  const x = c.input(0), y = c.output();
  if (x.dtype === "int16") {
    // An int8 result is computed as int16 in 257 times finer steps and narrowed once.
    const fine = y.dtype === "int16" ? y.scale : Math.fround(y.scale * qmaxOf("int8") / 32767);
    const range = y.dtype === "int16" ? c.range : {};
    const table = c.store("table", tensor("int16", [513], lut16(f, x, { scale: fine, ...range })));
    if (y.dtype === "int16") {
      c.emit("HzLut16", [x.name, table], [y.name]);
      return;
    }
    const wide = c.temp("wide", "int16", y.shape);
    c.emit("HzLut16", [x.name, table], [wide]);
    narrow(c, { ...y, name: wide, dtype: "int16", scale: fine });
    return;
  }
  const table = y.dtype === "int16"
    ? tensor("int16", [256], lut8to16(f, x, { scale: y.scale, ...c.range }))
    : tensor("int8", [256], lut8(f, x, { scale: y.scale, zero: y.zero, ...c.range }));
  c.emit("HzLut", [x.name, c.store("table", table)], [y.name]);
}

/** Requantizes an int16 intermediate into output 0. */
function narrow(c: LowerContext, from: QTensor): void {
  const y = c.output();
  const k = multiplierOf(from.scale / y.scale);
  c.emit(
    "HzRequantize",
    [
      from.name,
      c.store("narrow_m", tensor("int32", [], Int32Array.of(k.m))),
      c.store("narrow_s", tensor("int8", [], Int8Array.of(k.s))),
    ],
    [y.name],
    settleWith(c.range, y.dtype),
  );
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
