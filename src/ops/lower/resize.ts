/**
 * Integer lowering of Resize (docs/arithmetic.md section 8).
 *
 * @module
 */

import { stringAttr } from "../../ir/graph.ts";
import type { Node } from "../../ir/graph.ts";
import { numbersOf } from "../../ir/tensor.ts";
import type { Tensor } from "../../ir/tensor.ts";
import { settleWith } from "../hz/types.ts";
import type { LowerContext, QuantSpec } from "../op.ts";
import { linearTaps, nearestIndex } from "../resize_map.ts";
import type { LinearTaps, ResizeAxis } from "../resize_map.ts";
import { int32s } from "./common.ts";

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

const crops = (n: Node) =>
  stringAttr(n, "coordinate_transformation_mode", "half_pixel") === "tf_crop_and_resize";

/** Positions of tf_crop_and_resize along one axis: from the first to the last pixel of a box. */
function cropPositions(roi: readonly number[], a: number, size: number, out: number): number[] {
  // onnxruntime leaves an unscaled axis alone, whatever the mode.
  if (size === out) return Array.from({ length: out }, (_, i) => i);
  const [start, end] = [roi[a]!, roi[a + roi.length / 2]!].map((v) => v * (size - 1));
  // roi is stored in binary32: box coordinates are integers up to that.
  const whole = (v: number) => Math.abs(v - Math.round(v)) <= 1e-3 ? Math.round(v) : v;
  const [from, to] = [whole(start!), whole(end!)];
  return Array.from(
    { length: out },
    (_, i) => out === 1 ? (from + to) / 2 : from + i * (to - from) / (out - 1),
  );
}

/** roi as starts and ends of four axes; undefined where it is not constant. */
function roiOf(t: Tensor | undefined): readonly number[] | undefined {
  return t?.data.length === 8 ? Array.from(numbersOf(t)) : undefined;
}

/** Index by nearest_mode of a position inside the picture. */
function nearestTo(v: number, mode: string, down: boolean): number {
  const up = mode === "ceil" || (mode === "simple" && down);
  if (up) return Math.ceil(v);
  if (mode === "floor" || mode === "simple") return Math.floor(v);
  return mode === "round_prefer_ceil" ? Math.floor(v + 0.5) : Math.ceil(v - 0.5);
}

/** Taps of positions inside the picture. */
function cropTaps(positions: readonly number[]): LinearTaps {
  const i0 = Int32Array.from(positions, Math.floor);
  const fraction = Float64Array.from(positions, (v, i) => v - i0[i]!);
  return { i0, i1: i0.map((v, i) => fraction[i] === 0 ? v : v + 1), fraction };
}

const ints = int32s;

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
    if (how === "tf_crop_and_resize") {
      const roi = roiOf(c.constant(1));
      if (roi === undefined) return "its roi is not eight constants";
      const outside = [2, 3].some((a) =>
        cropPositions(roi, a, x[a]!, y[a]!).some((v) => v < 0 || v > x[a]! - 1)
      );
      if (outside) return "its box leaves the picture, which has no integer form";
    }
    return undefined;
  },
  lower(c) {
    const x = c.input(0), y = c.output();
    const axes = [2, 3].map((a) => ({ a, map: axis(c, a, x.shape, y.shape) }));
    const roi = crops(c.node) ? roiOf(c.constant(1)) : undefined;
    const cropped = (a: number) => cropPositions(roi!, a, x.shape[a]!, y.shape[a]!);
    if (stringAttr(c.node, "mode", "nearest") === "nearest") {
      const [rows, columns] = axes.map(({ a, map }) =>
        roi === undefined ? nearestIndex(map) : Int32Array.from(
          cropped(a),
          (v) => nearestTo(v, map.nearest ?? "", map.scale < 1),
        )
      );
      c.emit("HzQuantizedResizeNearest", [
        x.name,
        c.store("rows", ints(rows!)),
        c.store("columns", ints(columns!)),
      ], [y.name]);
      return;
    }
    const tables = axes.map(({ a, map }, i) =>
      [
        i === 0 ? "rows" : "columns",
        roi === undefined ? linearTaps(map) : cropTaps(cropped(a)),
      ] as const
    );
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
