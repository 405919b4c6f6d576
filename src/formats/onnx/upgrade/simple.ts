/**
 * Operators that changed in a name, an attribute or a default only.
 *
 * @module
 */

import { attr, intAttr, type Node, stringAttr } from "../../../ir/graph.ts";
import { type Context, refuse, rewired, without } from "./context.ts";

/** Cast 19: `saturate` is about float8, which is refused as a type. */
export function cast(n: Node, _c: Context): readonly Node[] | undefined {
  return n.attrs.has("saturate") ? [rewired(n, n.inputs, without(n.attrs, "saturate"))] : undefined;
}

/** GridSample 20 names its modes anew and takes volumes. */
export function gridSample(n: Node, c: Context): readonly Node[] | undefined {
  if (c.opset < 20) return undefined;
  if (c.fact(n.inputs[0] ?? "").rank === 5) {
    throw refuse(n, "sampling of volumes is not supported");
  }
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

/** Equal of 19 compares strings. */
export function equal(n: Node, c: Context): readonly Node[] | undefined {
  if (n.inputs.some((i) => c.fact(i).dtype === "string")) {
    throw refuse(n, "comparing strings is not supported");
  }
  return legacyBroadcast(n, c);
}

/** Scan 8 has a batch dimension and other inputs. */
export function scan(n: Node, c: Context): readonly Node[] | undefined {
  if (c.opset >= 9) return undefined;
  throw refuse(n, "Scan of opset 8 is not supported", "Export the model with opset 9 or later.");
}

/** DFT 20 takes its axis as an input. */
export function dft(n: Node, c: Context): readonly Node[] | undefined {
  if (c.opset < 20) return undefined;
  throw refuse(n, "DFT of opset 20 is not supported", "Export the model with opset 17.");
}
