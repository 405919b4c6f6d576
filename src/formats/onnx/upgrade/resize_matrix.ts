/**
 * Resize forms that opset 17 does not have (antialiasing, `half_pixel_symmetric`, sizes rounded up), as
 * a product with a constant matrix per axis, or a Gather where the mode is `nearest`.
 *
 * @module
 */

import { attr, floatAttr, intAttr, type Node, stringAttr } from "../../../ir/graph.ts";
import { f32 } from "../../../ir/tensor.ts";
import { Chain } from "./chain.ts";
import { type Context, refuse, reserve } from "./context.ts";

/** One axis: its sizes and the scale as it is stated. */
export interface AxisScale {
  readonly size: number;
  readonly out: number;
  readonly scale: number;
}

/** Position in the input of each output position. */
function positions(n: Node, { size, out, scale }: AxisScale): number[] {
  const exact = size * scale;
  const half = (x: number) => (x + 0.5) / scale - 0.5;
  const mode = stringAttr(n, "coordinate_transformation_mode", "half_pixel");
  const at = (x: number): number => {
    switch (mode) {
      case "half_pixel":
        return half(x);
      case "half_pixel_symmetric":
        return size / 2 * (1 - out / exact) + half(x);
      case "pytorch_half_pixel":
        return out === 1 ? -0.5 : half(x);
      case "asymmetric":
        return x / scale;
      case "align_corners":
        return exact === 1 ? 0 : x * (size - 1) / (exact - 1);
      default:
        throw refuse(n, `coordinate_transformation_mode ${mode} is not supported here`);
    }
  };
  return Array.from({ length: out }, (_, x) => at(x));
}

function cubic(x: number, a: number): number {
  const d = Math.abs(x);
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? (((d - 5) * d + 8) * d - 4) * a : 0;
}

/** Rows of weights: one per output position, over the input positions. */
function weights(n: Node, axis: AxisScale): Float32Array {
  const a = floatAttr(n, "cubic_coeff_a", -0.75);
  const isCubic = stringAttr(n, "mode", "nearest") === "cubic";
  const kernel = isCubic ? (x: number) => cubic(x, a) : (x: number) => Math.max(0, 1 - Math.abs(x));
  const antialias = intAttr(n, "antialias", 0) !== 0;
  const outside = intAttr(n, "exclude_outside", 0) === 0;
  // Where the axis shrinks, the antialiasing filter is as wide as the input of one output.
  const narrow = antialias ? Math.min(1, axis.scale) : 1;
  const reach = Math.ceil((isCubic ? 2 : 1) / narrow);
  const rows = new Float32Array(axis.out * axis.size);
  positions(n, axis).forEach((x, o) => {
    const row = new Float64Array(axis.size);
    let sum = 0;
    for (let i = Math.floor(x) - reach; i <= Math.floor(x) + reach + 1; i++) {
      const inside = i >= 0 && i < axis.size;
      if (!inside && !outside) continue;
      const w = kernel((i - x) * narrow);
      row[Math.min(Math.max(i, 0), axis.size - 1)]! += w;
      sum += w;
    }
    row.forEach((w, i) => rows[o * axis.size + i] = w / sum);
  });
  return rows;
}

/** Input position of each output position in mode `nearest`. */
function nearest(n: Node, axis: AxisScale): number[] {
  const mode = stringAttr(n, "nearest_mode", "round_prefer_floor");
  return positions(n, axis).map((x) => {
    const low = Math.floor(x);
    const up = mode === "ceil"
      ? x > low
      : mode === "round_prefer_ceil"
      ? x - low >= 0.5
      : mode === "round_prefer_floor" && x - low > 0.5;
    return Math.min(Math.max(up ? low + 1 : low, 0), axis.size - 1);
  });
}

/** The node as one product or Gather per resized axis. */
export function resizeByMatrix(n: Node, c: Context, axes: readonly AxisScale[]): Node[] {
  const dtype = c.fact(n.inputs[0] ?? "").dtype ?? "float32";
  const near = stringAttr(n, "mode", "nearest") === "nearest";
  if (!near && dtype !== "float32") throw refuse(n, `resizing ${dtype} this way is not supported`);
  const chain = new Chain(n, c);
  const rank = axes.length;
  const shape = axes.map((a) => a.size);
  let x = n.inputs[0] ?? "";
  axes.forEach((a, i) => {
    if (a.scale === 1 && a.out === a.size) return;
    reserve(n, near ? a.out : a.out * a.size);
    if (near) {
      x = chain.add("Gather", [x, chain.ints("pixels", nearest(n, a))], { axis: attr.int(i) });
    } else {
      const rows = weights(n, a);
      const matrix = chain.constant("weights", f32([a.out, a.size], rows));
      if (i === rank - 2) x = chain.add("MatMul", [matrix, x]);
      else if (i === rank - 1) {
        const columns = new Float32Array(rows.length);
        for (let o = 0; o < a.out; o++) {
          for (let k = 0; k < a.size; k++) columns[k * a.out + o] = rows[o * a.size + k]!;
        }
        x = chain.add("MatMul", [x, chain.constant("weights", f32([a.size, a.out], columns))]);
      } else {
        const outer = [...shape.slice(0, i), a.size, -1];
        const flat = chain.add("Reshape", [x, chain.ints("flat", outer)]);
        const product = chain.add("MatMul", [matrix, flat]);
        x = chain.add("Reshape", [
          product,
          chain.ints("shape", [...shape.slice(0, i), a.out, ...shape.slice(i + 1)]),
        ]);
      }
    }
    shape[i] = a.out;
  });
  if (chain.nodes.length === 0) chain.add("Identity", [x]);
  return chain.end();
}
