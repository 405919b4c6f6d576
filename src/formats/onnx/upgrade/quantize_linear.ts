/**
 * QuantizeLinear and DequantizeLinear: 19 (float8, `saturate`), 21 (4 bits, `block_size`,
 * `output_dtype`).
 *
 * @module
 */

import { intAttr, type Node } from "../../../ir/graph.ts";
import { allocate, type DType } from "../../../ir/tensor.ts";
import { heldDtype, isFloat8 } from "../narrow.ts";
import { Chain } from "./chain.ts";
import { type Context, refuse, rewired, without } from "./context.ts";
import { narrowResult, roundTo } from "./narrow.ts";

const ranges: ReadonlyMap<DType, readonly [number, number]> = new Map([
  ["uint8", [0, 255]],
  ["int8", [-128, 127]],
  ["uint16", [0, 65535]],
  ["int16", [-32768, 32767]],
]);

/**
 * The operator of opset 13 where it has that form. Blocks and narrow types become their arithmetic, in
 * float64 (so that it is exact, and stays off the BPU).
 */
export function quantizeLinear(n: Node, c: Context): readonly Node[] | undefined {
  if (c.opset < 19) return undefined;
  const blocked = intAttr(n, "block_size", 0) !== 0;
  if (n.op === "DequantizeLinear") {
    const code = c.narrow(n.inputs[0] ?? "") ?? 0;
    if (blocked || isFloat8(code)) return dequantized(n, c);
  } else if (blocked || narrowResult(n, c) !== undefined) return quantized(n, c);

  const attrs = without(n.attrs, "saturate", "block_size", "output_dtype", "precision");
  const code = intAttr(n, "output_dtype", 0);
  let inputs = n.inputs;
  if (n.op === "QuantizeLinear" && code !== 0 && (n.inputs[2] ?? "") === "") {
    const dtype = heldDtype(code, { node: n.name, op: n.op });
    const scale = c.constant(n.inputs[1] ?? "");
    if (scale === undefined) throw refuse(n, "the scale is computed at run time");
    const zero = { dtype, shape: scale.shape, data: allocate(dtype, scale.data.length) };
    inputs = [n.inputs[0] ?? "", n.inputs[1] ?? "", c.addConstant(`${n.name}_zero_point`, zero)];
  }
  return attrs.size === n.attrs.size && inputs === n.inputs
    ? undefined
    : [rewired(n, inputs, attrs)];
}

/** round(x / scale) + zero point, within the output type; the quotient is a float32 as in onnxruntime. */
function quantized(n: Node, c: Context): Node[] {
  const chain = new Chain(n, c);
  const [x = "", scale = "", zero = ""] = n.inputs;
  const quotient = chain.add("Div", [
    chain.cast(x, "float64"),
    chain.cast(spread(chain, n, c, scale), "float64"),
  ]);
  const single = chain.cast(chain.cast(quotient, "float32"), "float64");
  const code = narrowResult(n, c);
  if (code !== undefined && isFloat8(code)) {
    roundTo(chain, single, code, intAttr(n, "saturate", 1) !== 0);
    return chain.end();
  }
  const whole = chain.add("Round", [single]);
  const moved = zero === ""
    ? whole
    : chain.add("Add", [whole, chain.cast(spread(chain, n, c, zero), "float64")]);
  if (code !== undefined) roundTo(chain, moved, code, true);
  else {
    const stated = intAttr(n, "output_dtype", 0);
    const dtype = stated !== 0
      ? heldDtype(stated, { node: n.name, op: n.op })
      : zero === ""
      ? "uint8"
      : c.fact(zero).dtype ?? "uint8";
    const range = ranges.get(dtype);
    if (range === undefined) throw refuse(n, `quantization to ${dtype} is not supported`);
    const [lo, hi] = range;
    const clipped = chain.add("Clip", [moved, chain.doubles("min", lo), chain.doubles("max", hi)]);
    chain.cast(clipped, dtype);
  }
  return chain.end();
}

/** (x - zero point) scale. */
function dequantized(n: Node, c: Context): Node[] {
  const chain = new Chain(n, c);
  const [x = "", scale = "", zero = ""] = n.inputs;
  const wide = chain.cast(x, "float64");
  const difference = zero === ""
    ? wide
    : chain.add("Sub", [wide, chain.cast(spread(chain, n, c, zero), "float64")]);
  const y = chain.add("Mul", [difference, chain.cast(spread(chain, n, c, scale), "float64")]);
  chain.cast(y, c.fact(scale).dtype ?? "float32");
  return chain.end();
}

/** A scale or zero point in a shape that broadcasts to the values: per tensor, per slice or per block. */
function spread(chain: Chain, n: Node, c: Context, name: string): string {
  const { shape } = c.fact(name);
  const values = c.fact(n.inputs[0] ?? "");
  if (shape === undefined) throw refuse(n, "the shape of the scale is not known");
  if (shape.length === 0 || shape.length === 1 && shape[0] === 1) return name;
  const rank = values.rank;
  if (rank === undefined) throw refuse(n, "the rank of the input is not known");
  const stated = intAttr(n, "axis", 1);
  const axis = stated < 0 ? stated + rank : stated;
  const block = intAttr(n, "block_size", 0);
  if (block === 0) {
    const wanted = new Array<number>(rank).fill(1);
    wanted[axis] = -1;
    return chain.add("Reshape", [name, chain.ints("slices", wanted)]);
  }
  const size = values.shape?.[axis] ?? -1;
  if (size < 0 || shape.includes(-1) || shape.length !== rank) {
    throw refuse(n, "the shape of the blocks is not known", "Fix the input shape.");
  }
  const repeats = new Array<number>(rank + 1).fill(1);
  repeats[axis + 1] = block;
  const apart = chain.add("Unsqueeze", [name, chain.ints("axis", [axis + 1])]);
  const all = chain.add("Tile", [apart, chain.ints("repeats", repeats)]);
  const merged = shape.map((d, i) => i === axis ? d * block : d);
  const flat = chain.add("Reshape", [all, chain.ints("merged", merged)]);
  if (merged[axis] === size) return flat;
  return chain.add("Slice", [
    flat,
    chain.ints("start", [0]),
    chain.ints("end", [size]),
    chain.ints("axes", [axis]),
  ]);
}
