/**
 * Writing updates into a copy of a tensor, with ONNX's optional reduction. Shared by the Scatter family.
 *
 * @module
 */

import { stringAttr } from "../ir/graph.ts";
import type { Tensor } from "../ir/tensor.ts";
import { modelError } from "./context.ts";
import { fromDoubles, isBig, toDoubles } from "./convert.ts";
import { copyOf, put } from "./nd.ts";
import type { InferContext } from "./op.ts";

const onNumbers: ReadonlyMap<string, (a: number, b: number) => number> = new Map([
  ["add", (a, b) => a + b],
  ["mul", (a, b) => a * b],
  ["max", Math.max],
  ["min", Math.min],
]);

const onBig: ReadonlyMap<string, (a: bigint, b: bigint) => bigint> = new Map([
  ["add", (a, b) => a + b],
  ["mul", (a, b) => a * b],
  ["max", (a, b) => a > b ? a : b],
  ["min", (a, b) => a < b ? a : b],
]);

/** A copy of `data` in which element `at[i]` was replaced by, or combined with, update i, in order. */
export function scatterInto(
  c: InferContext,
  data: Tensor,
  at: Int32Array,
  updates: Tensor,
): Tensor {
  const how = stringAttr(c.node, "reduction", "none");
  const { dtype, shape } = data;
  if (how === "none") {
    const out = copyOf(data.data);
    put(out, at, updates.data);
    return { dtype, shape, data: out };
  }
  const f = onNumbers.get(how) ?? modelError(c.node, `reduction ${how} is not known`);
  if (isBig(dtype)) {
    const g = onBig.get(how)!;
    const out = copyOf(data.data) as BigInt64Array;
    const u = updates.data as BigInt64Array;
    at.forEach((o, i) => out[o] = g(out[o]!, u[i]!));
    return { dtype, shape, data: out };
  }
  const out = toDoubles(data).slice();
  const u = toDoubles(updates);
  const round = dtype === "float32" ? Math.fround : (v: number) => v;
  at.forEach((o, i) => out[o] = round(f(out[o]!, u[i]!)));
  return { dtype, shape, data: fromDoubles(dtype, out) };
}
