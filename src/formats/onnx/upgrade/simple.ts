/**
 * Operators that changed in a name, an attribute or a default only.
 *
 * @module
 */

import { attr, intAttr, type Node, stringAttr } from "../../../ir/graph.ts";
import { constantInput, type Context, refuse, rewired, without } from "./context.ts";
import { sampledVolume } from "./grid_volume.ts";

/** GridSample 20 names its modes anew and takes volumes. */
export function gridSample(n: Node, c: Context): readonly Node[] | undefined {
  if (c.opset < 20) return undefined;
  if (c.fact(n.inputs[0] ?? "").rank === 5) return sampledVolume(n, c);
  const mode = stringAttr(n, "mode", "linear");
  const name = mode === "linear" ? "bilinear" : mode === "cubic" ? "bicubic" : mode;
  return [rewired(n, n.inputs, new Map([...n.attrs, ["mode", attr.string(name)]]))];
}

/** Scatter (9) is called ScatterElements from 11 on. */
export function scatter(n: Node, _c: Context): readonly Node[] {
  return [{ ...n, op: "ScatterElements" }];
}

/** RoiAlign 16 has another default; before, it worked as `output_half_pixel`. */
export function roiAlign(n: Node, c: Context): readonly Node[] | undefined {
  if (c.opset >= 16 || n.attrs.has("coordinate_transformation_mode")) return undefined;
  const mode = attr.string("output_half_pixel");
  return [rewired(n, n.inputs, new Map([...n.attrs, ["coordinate_transformation_mode", mode]]))];
}

/** Left-over attributes of opset 6 broadcasting. */
export function legacyBroadcast(n: Node, _c: Context): readonly Node[] | undefined {
  const attrs = without(n.attrs, "broadcast", "axis", "consumed_inputs");
  if (attrs.size === n.attrs.size) return undefined;
  if (intAttr(n, "broadcast", 0) !== 0 && n.attrs.has("axis")) {
    throw refuse(
      n,
      "broadcasting along an axis (opset 6) is not supported",
      "Convert the model to opset 7 or later.",
    );
  }
  return [rewired(n, n.inputs, attrs)];
}

/** DFT 20 takes its axis as an input. */
export function dft(n: Node, c: Context): readonly Node[] | undefined {
  if (c.opset < 20) return undefined;
  const [axis = -2] = constantInput(n, c, 2, "the axis") ?? [];
  const { rank } = c.fact(n.inputs[0] ?? "");
  if (axis < 0 && rank === undefined) throw refuse(n, "the rank of the input is not known");
  const at = attr.int(axis < 0 ? axis + rank! : axis);
  return [rewired(n, n.inputs.slice(0, 2), new Map([...n.attrs, ["axis", at]]))];
}

/** OptionalGetElement of a tensor is that tensor. */
export function optionalGetElement(n: Node, c: Context): readonly Node[] | undefined {
  if (c.fact(n.inputs[0] ?? "").dtype === undefined) return undefined;
  return [{ ...n, op: "Identity", attrs: new Map() }];
}
