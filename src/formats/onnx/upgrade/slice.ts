/**
 * Slice: opset 1 has attributes, opset 10 inputs.
 *
 * @module
 */

import { intsAttr, type Node } from "../../../ir/graph.ts";
import { addInts, type Context, rewired } from "./context.ts";

/** Attributes to inputs. */
export function slice(n: Node, c: Context): readonly Node[] | undefined {
  if (c.opset >= 10) return undefined;
  const starts = intsAttr(n, "starts");
  const axes = intsAttr(n, "axes", starts.map((_, i) => i));
  return [
    rewired(n, [
      n.inputs[0] ?? "",
      addInts(n, c, "starts", starts),
      addInts(n, c, "ends", intsAttr(n, "ends")),
      addInts(n, c, "axes", axes),
    ], new Map()),
  ];
}
