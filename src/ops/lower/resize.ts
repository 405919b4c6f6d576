/**
 * Integer lowering of Resize (docs/arithmetic.md section 8).
 *
 * @module
 */

import { stringAttr } from "../../ir/graph.ts";
import { numbersOf, tensor } from "../../ir/tensor.ts";
import { settleWith } from "../hz/types.ts";
import type { LowerContext, QuantSpec } from "../op.ts";
import { linearTaps, nearestIndex } from "../resize_map.ts";
import type { ResizeAxis } from "../resize_map.ts";

const ONE = 2 ** 11;

function axis(c: LowerContext, a: number, x: readonly number[], y: readonly number[]): ResizeAxis {
  const scales = c.constant(2);
  const given = scales !== undefined && scales.data.length === 4;
  return {
    inSize: x[a]!,
    outSize: y[a]!,
    scale: given ? numbersOf(scales)[a]! : y[a]! / x[a]!,
    coordinates: stringAttr(c.node, "coordinate_transformation_mode", "half_pixel"),
    nearest: stringAttr(c.node, "nearest_mode", "round_prefer_floor"),
  };
}

const ints = (v: Int32Array) => tensor("int32", [v.length], v);

/** Nearest and linear over H and W. */
export const resizeQuant: QuantSpec = {
  kind: "active",
  scale: "input",
  limits(c) {
    const x = c.need(0).shape, y = c.output(0).shape;
    if (x.length !== 4) return "the integer form takes rank 4";
    if (x[0] !== y[0] || x[1] !== y[1]) return "it resizes batch or channels";
    for (const i of [2, 3]) {
      if (c.input(i) !== undefined && c.constant(i) === undefined) {
        return "its scales or sizes are computed, not constant";
      }
    }
    const mode = stringAttr(c.node, "mode", "nearest");
    if (mode !== "nearest" && mode !== "linear") return `mode ${mode} has no integer form`;
    const how = stringAttr(c.node, "coordinate_transformation_mode", "half_pixel");
    if (how === "tf_crop_and_resize") return `${how} has no integer form`;
    return undefined;
  },
  lower(c) {
    const x = c.input(0), y = c.output();
    const rows = axis(c, 2, x.shape, y.shape), columns = axis(c, 3, x.shape, y.shape);
    if (stringAttr(c.node, "mode", "nearest") === "nearest") {
      c.emit("HzQuantizedResizeNearest", [
        x.name,
        c.store("rows", ints(nearestIndex(rows))),
        c.store("columns", ints(nearestIndex(columns))),
      ], [y.name]);
      return;
    }
    const tables = [["rows", linearTaps(rows)], ["columns", linearTaps(columns)]] as const;
    const names = tables.flatMap(([name, t]) => [
      c.store(`${name}0`, ints(t.i0)),
      c.store(`${name}1`, ints(t.i1)),
      c.store(
        `${name}_weight`,
        ints(Int32Array.from(t.fraction, (f) => Math.floor(f * ONE + 0.5))),
      ),
    ]);
    c.emit("HzQuantizedResizeLinear", [x.name, ...names], [y.name], settleWith(c.range, y.dtype));
  },
};
