/**
 * Pad: opset 2 (attributes), 11 (inputs), 18 (input `axes`), 19 (mode `wrap`).
 *
 * @module
 */

import { floatAttr, intsAttr, type Node, stringAttr } from "../../../ir/graph.ts";
import {
  addInts,
  addScalarLike,
  constantInput,
  type Context,
  refuse,
  rewired,
  without,
} from "./context.ts";

/** Pads for every axis, as an input. */
export function pad(n: Node, c: Context): readonly Node[] | undefined {
  if (stringAttr(n, "mode", "constant") === "wrap") {
    throw refuse(
      n,
      "padding by wrapping around is not supported",
      "Use constant, edge or reflect.",
    );
  }
  const x = n.inputs[0] ?? "";
  if (c.opset < 11) {
    const pads = addInts(n, c, "pads", intsAttr(n, "pads"));
    const value = addScalarLike(n, c, "value", floatAttr(n, "value", 0), x);
    return [rewired(n, [x, pads, value], without(n.attrs, "pads", "value"))];
  }
  if (c.opset < 18 || (n.inputs[3] ?? "") === "") return undefined;
  const axes = constantInput(n, c, 3, "the list of axes")!;
  const pads = constantInput(n, c, 1, "the padding") ?? [];
  const rank = c.fact(x).rank;
  if (rank === undefined) {
    throw refuse(n, "the rank of the padded tensor is not known", "Export with opset 17.");
  }
  const all = new Array<number>(2 * rank).fill(0);
  axes.forEach((axis, i) => {
    const at = axis < 0 ? axis + rank : axis;
    all[at] = pads[i] ?? 0;
    all[at + rank] = pads[i + axes.length] ?? 0;
  });
  const inputs = [x, addInts(n, c, "pads", all), n.inputs[2] ?? ""];
  while (inputs.at(-1) === "") inputs.pop();
  return [rewired(n, inputs)];
}
