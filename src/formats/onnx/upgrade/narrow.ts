/**
 * Casts and quantization to and from the element types that are held in a wider one (`../narrow.ts`):
 * the result is rounded to the narrow type's values.
 *
 * @module
 */

import { intAttr, type Node } from "../../../ir/graph.ts";
import {
  BFLOAT16,
  float8Grid,
  float8Overflow,
  heldDtype,
  isFloat8,
  isNarrow,
  nibbleRange,
} from "../narrow.ts";
import { Chain } from "./chain.ts";
import { type Context, without } from "./context.ts";

/** Operators that hand on elements of their first input. */
const moves: ReadonlySet<string> = new Set([
  ..."Identity Reshape Flatten Squeeze Unsqueeze Transpose Slice Split Concat Gather".split(" "),
  ..."GatherND GatherElements Expand Tile Pad DepthToSpace SpaceToDepth Resize".split(" "),
]);

/** ONNX element type of a node's outputs where that is a narrow one. */
export function narrowResult(n: Node, c: Context | undefined): number | undefined {
  if (n.domain !== "") return undefined;
  const given = (code: number | undefined) =>
    code !== undefined && isNarrow(code) ? code : undefined;
  const of = (i: number) => given(c?.narrow(n.inputs[i] ?? ""));
  const stated = (key: string) => {
    const a = n.attrs.get(key);
    return given(a?.type === "int" ? a.value : undefined);
  };
  if (n.op === "Cast") return stated("to");
  if (n.op === "CastLike") return of(1);
  if (n.op === "QuantizeLinear") return of(2) ?? stated("output_dtype");
  return moves.has(n.op) ? of(0) : undefined;
}

/** Smallest binary64 number above a positive one. */
function nextUp(x: number): number {
  const bits = new BigUint64Array(Float64Array.of(x).buffer);
  bits[0]!++;
  return new Float64Array(bits.buffer)[0]!;
}

/**
 * float64 values rounded to the nearest float8, halves to even: a binary search among the smallest
 * values that round to each float8, then a table look-up.
 */
function roundFloat8(c: Chain, x: string, code: number, saturate: boolean): string {
  const grid = float8Grid(code);
  const over = saturate ? grid.at(-1)! : float8Overflow(code);
  // One past the largest value, spaced as the two before it: from halfway there on it overflows.
  const values = [...grid, 2 * grid.at(-1)! - grid.at(-2)!];
  const least = values.map((v, k) => {
    const half = k === 0 ? 0 : (values[k - 1]! + v) / 2;
    return k % 2 === 0 ? half : nextUp(half);
  });
  const size = 2 ** Math.ceil(Math.log2(values.length));
  const padded = (list: readonly number[], fill: number) => [
    ...list,
    ...new Array<number>(size - list.length).fill(fill),
  ];
  const leasts = c.doubles("least", padded(least, NaN));
  const rounds = c.doubles("values", padded(grid, over));
  const step = (v: number) =>
    c.constant("step", { dtype: "int32", shape: [], data: Int32Array.of(v) });
  const magnitude = c.add("Abs", [x]);
  let at = step(0);
  for (let s = size / 2; s >= 1; s /= 2) {
    const next = c.add("Add", [at, step(s)]);
    const reached = c.add("GreaterOrEqual", [magnitude, c.add("Gather", [leasts, next])]);
    at = c.add("Where", [reached, next, at]);
  }
  const rounded = c.add("Gather", [rounds, at]);
  const negative = c.add("Less", [x, c.doubles("zero", 0)]);
  const signed = c.add("Where", [negative, c.add("Neg", [rounded]), rounded]);
  return c.add("Where", [c.add("IsNaN", [x]), x, signed]);
}

/**
 * float64 values rounded to a narrow type, in the type that holds it. float64: it takes one rounding, and
 * it is not done on the BPU, whose steps know nothing of the type.
 */
export function roundTo(c: Chain, x: string, code: number, saturate: boolean): string {
  if (code === BFLOAT16) return c.cast(c.cast(c.cast(x, "float32"), "bfloat16"), "float32");
  if (isFloat8(code)) return c.cast(roundFloat8(c, x, code, saturate), "float32");
  const [lo, hi] = nibbleRange(code)!;
  const clipped = c.add("Clip", [c.add("Round", [x]), c.doubles("min", lo), c.doubles("max", hi)]);
  return c.cast(clipped, heldDtype(code));
}

/** Cast and CastLike: 19 adds float8 (`saturate`), 21 the 4-bit integers. */
export function cast(n: Node, c: Context): readonly Node[] | undefined {
  const x = n.inputs[0] ?? "";
  const code = narrowResult(n, c);
  if (code === undefined) {
    return n.attrs.has("saturate") ? [{ ...n, attrs: without(n.attrs, "saturate") }] : undefined;
  }
  const chain = new Chain(n, c);
  const wide = c.fact(x).dtype === "float64" ? x : chain.cast(x, "float64");
  roundTo(chain, wide, code, intAttr(n, "saturate", 1) !== 0);
  return chain.end();
}
