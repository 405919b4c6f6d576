/**
 * Integer lowering of GridSample: pixel positions in steps of 2^-11, then the taps of Resize
 * (docs/arithmetic.md section 8).
 *
 * @module
 */

import { attr, intAttr, stringAttr } from "../../ir/graph.ts";
import { numbersOf, tensor } from "../../ir/tensor.ts";
import { STEPS } from "../hz/hz_grid_sample.ts";
import { codeOf } from "../hz/types.ts";
import type { QuantSpec } from "../op.ts";
import { emitForm, int32s, multiplier } from "./common.ts";

/** Pixels per unit of the grid, and the pixel at 0, along an axis of `size` pixels. */
function mapping(size: number, alignCorners: boolean): { factor: number; origin: number } {
  return alignCorners
    ? { factor: (size - 1) / 2, origin: (size - 1) / 2 }
    : { factor: size / 2, origin: (size - 1) / 2 };
}

const far = 2 ** 30;
const inSteps = (v: number) => Math.min(Math.max(Math.floor(v * STEPS + 0.5), -far), far);

/** GridSample -> HzGridPosition, HzWarpLinear or HzWarpNearest; a constant grid needs no positions. */
export const gridSampleQuant: QuantSpec = {
  kind: "active",
  scale: "input",
  limits(c) {
    if (c.need(0).shape.length !== 4) return "the integer form takes rank 4";
    if (c.constant(0) !== undefined) return "its picture is a constant";
    const mode = stringAttr(c.node, "mode", "bilinear");
    if (mode !== "bilinear" && mode !== "nearest") return `mode ${mode} has no integer form`;
    const padding = stringAttr(c.node, "padding_mode", "zeros");
    return padding === "zeros" || padding === "border"
      ? undefined
      : `padding_mode ${padding} has no integer form`;
  },
  lower(c) {
    const x = c.input(0), y = c.output();
    const align = intAttr(c.node, "align_corners", 0) === 1;
    // A grid point is (x, y).
    const axes = [mapping(x.shape[3]!, align), mapping(x.shape[2]!, align)];
    let positions: string;
    if (c.isConstant(1)) {
      const grid = c.constant(1)!;
      const values = numbersOf(grid);
      positions = c.store(
        "positions",
        tensor(
          "int32",
          grid.shape,
          Int32Array.from(values, (v, i) => {
            const { factor, origin } = axes[i % 2]!;
            return inSteps(v * factor + origin);
          }),
        ),
      );
    } else {
      const grid = c.input(1);
      const k = axes.map(({ factor }) => multiplier(c, grid.scale * factor * STEPS));
      positions = c.temp("positions", "int32", grid.shape);
      emitForm(
        c,
        "HzGridPosition",
        [
          grid.name,
          c.store("m", int32s(Int32Array.from(k, (v) => v.m))),
          c.store("s", tensor("int8", [2], Int8Array.from(k, (v) => v.s))),
          c.store("offset", int32s(Int32Array.from(axes, (a) => inSteps(a.origin)))),
        ],
        [positions],
        {},
        { x_zero: grid.zero },
      );
    }
    const linear = stringAttr(c.node, "mode", "bilinear") === "bilinear";
    emitForm(c, linear ? "HzWarpLinear" : "HzWarpNearest", [x.name, positions], [y.name], {
      border: attr.int(stringAttr(c.node, "padding_mode", "zeros") === "border" ? 1 : 0),
      to: attr.int(codeOf(y.dtype)),
    }, { x_zero: x.zero });
  },
};
