/**
 * Integer lowering of one-input functions by table (docs/arithmetic.md section 6).
 *
 * @module
 */

import type { Node } from "../../ir/graph.ts";
import { tensor } from "../../ir/tensor.ts";
import type { Tensor } from "../../ir/tensor.ts";
import { lut16, lut8, lut8to16, qmaxOf, qminOf, quantizeValue } from "../arithmetic.ts";
import { settleWith } from "../hz/types.ts";
import type { LowerContext, QRange, QTensor, QuantSpec } from "../op.ts";
import { computedInput, emitForm, storeFactor } from "./common.ts";

/** Real function of a node: attributes and constant inputs are read from it. */
export type RealFunction = (
  n: Node,
  constant: (i: number) => Tensor | undefined,
) => (x: number) => number;

/** Bounds of a pure clamp. */
export type Bounds = (
  n: Node,
  constant: (i: number) => Tensor | undefined,
) => { readonly lo: number; readonly hi: number };

/** Largest error of 513 points with lines between them, in steps of the output. */
export const MAX_SEGMENT_ERROR = 2;

/** Value of the 513-point table at x (section 6). */
export function lut16Value(table: Int16Array, x: number): number {
  const u = x + 32768, i = u >> 7, r = u & 127;
  return (table[i]! * (128 - r) + table[i + 1]! * r + 64) >> 7;
}

/** The whole function: one entry per int16 value, index x & 65535. */
function fullTable(
  f: (x: number) => number,
  x: QTensor,
  y: {
    readonly scale: number;
    readonly zero: number;
    readonly qmin: number;
    readonly qmax: number;
  },
  out: Int8Array | Int16Array,
): Int8Array | Int16Array {
  for (let q = -32768; q < 32768; q++) {
    out[q & 65535] = quantizeValue(f(x.scale * q), y.scale, y.zero, y.qmin, y.qmax);
  }
  return out;
}

/**
 * Operator and table of a function from int16 to int16: 513 points where these are within two steps of the
 * output everywhere, else all 65536 values.
 */
export function int16Table(
  f: (x: number) => number,
  x: QTensor,
  y: { readonly scale: number },
  range: QRange = { qmin: -32768, qmax: 32767 },
): { readonly op: "HzLut16" | "HzLut"; readonly table: Tensor } {
  const exact = fullTable(f, x, { scale: y.scale, zero: 0, ...range }, new Int16Array(65536));
  const points = lut16(f, x, { scale: y.scale, ...range });
  let error = 0;
  for (let q = -32768; q < 32768; q++) {
    error = Math.max(error, Math.abs(lut16Value(points, q) - exact[q & 65535]!));
  }
  return error <= MAX_SEGMENT_ERROR
    ? { op: "HzLut16", table: tensor("int16", [513], points) }
    : { op: "HzLut", table: tensor("int16", [65536], exact) };
}

/** Emits a table for `f` from quantized input 0 to output 0. */
export function emitLut(c: LowerContext, f: (x: number) => number): void {
  const x = c.input(0), y = c.output();
  const range = { qmin: c.range.qmin, qmax: c.range.qmax };
  if (x.dtype === "int16") {
    if (y.dtype === "int16") {
      const { op, table } = int16Table(f, x, y, range);
      c.emit(op, [x.name, c.store("table", table)], [y.name]);
      return;
    }
    const out = { scale: y.scale, zero: y.zero, ...range };
    const exact = fullTable(f, x, out, new Int8Array(65536));
    c.emit("HzLut", [x.name, c.store("table", tensor("int8", [65536], exact))], [y.name]);
    return;
  }
  const table = y.dtype === "int16"
    ? tensor("int16", [256], lut8to16(f, x, { scale: y.scale, ...c.range }))
    : tensor("int8", [256], lut8(f, x, { scale: y.scale, zero: y.zero, ...c.range }));
  c.emit("HzLut", [x.name, c.store("table", table)], [y.name]);
}

/** A clamp of an int16 tensor is another scale and range: exact where a table would round corners. */
function emitClamp(c: LowerContext, lo: number, hi: number): void {
  const x = c.input(0), y = c.output();
  const type = y.dtype === "int16" ? "int16" : "int8";
  const at = (v: number) => quantizeValue(v, y.scale, y.zero, qminOf(type), qmaxOf(type));
  const qmin = Math.max(c.range.qmin, at(lo)), qmax = Math.min(c.range.qmax, at(hi));
  emitForm(
    c,
    "HzRequantize",
    [x.name, ...storeFactor(c, x.scale / y.scale)],
    [y.name],
    settleWith({ qmin: Math.min(qmin, qmax), qmax }, y.dtype),
    { x_zero: x.zero, y_zero: y.zero },
  );
}

/** A one-input function as its operator describes it. */
export interface RealSpec {
  readonly real: RealFunction;
  readonly bound?: number;
  readonly clamp?: Bounds;
}

/** Lowering of a one-input function: a table, or where it is a clamp a range. */
export function lutQuant({ real, bound, clamp }: RealSpec): QuantSpec {
  return {
    kind: "active",
    scale: "own",
    ...(bound === undefined ? {} : { outputBound: bound }),
    ...(clamp === undefined ? {} : {
      clamp: (c) =>
        computedInput(c) === undefined ? clamp(c.node, (i) => c.constant(i)) : undefined,
    }),
    limits: (c) => computedInput(c),
    lower(c) {
      const constant = (i: number) => c.constant(i);
      if (clamp !== undefined && c.input(0).dtype === "int16") {
        const { lo, hi } = clamp(c.node, constant);
        emitClamp(c, lo, hi);
      } else emitLut(c, real(c.node, constant));
    },
  };
}
