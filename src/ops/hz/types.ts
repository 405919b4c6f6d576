/**
 * Helpers that every quantized operator uses: output dtype from the `to` attribute, output ranges.
 *
 * @module
 */

import type { Attr, Node } from "../../ir/graph.ts";
import { attr, intAttr } from "../../ir/graph.ts";
import type { DType } from "../../ir/tensor.ts";
import type { QRange } from "../op.ts";
import { shapeError } from "../op.ts";

/** Quantized element types that an operator can produce. */
export type QuantType = "int8" | "int16" | "int32";

const codes: ReadonlyMap<string, number> = new Map([["int8", 3], ["int16", 5], ["int32", 6]]);

/** ONNX code of a quantized dtype, the value of `to`. */
export function codeOf(dtype: QuantType): number {
  return codes.get(dtype)!;
}

/** dtype that the node's `to` attribute names. */
export function toType(n: Node): QuantType {
  const code = intAttr(n, "to");
  if (code === 3) return "int8";
  if (code === 5) return "int16";
  if (code === 6) return "int32";
  shapeError(n, `attribute to = ${code} is not int8, int16 or int32`);
}

/** Attributes qmin, qmax and to. */
export function settleWith(range: QRange, dtype: QuantType): Record<string, Attr> {
  return {
    qmin: attr.int(range.qmin),
    qmax: attr.int(range.qmax),
    to: attr.int(codeOf(dtype)),
  };
}

/** qmin and qmax of a node. */
export function rangeOf(n: Node): QRange {
  return { qmin: intAttr(n, "qmin"), qmax: intAttr(n, "qmax") };
}

/** A quantized dtype, or an error that names the node. */
export function quantType(n: Node, dtype: DType): QuantType {
  if (dtype === "int8" || dtype === "int16" || dtype === "int32") return dtype;
  shapeError(n, `a ${dtype} tensor is not a quantized one`);
}
