/**
 * Squeeze, Unsqueeze and ReduceSum: `axes` is an attribute before opset 13, an input from then on. The
 * other reductions have it as an attribute up to opset 17 and as an input from 18 on.
 *
 * @module
 */

import { attr, intAttr, intsAttr, type Node, node } from "../../../ir/graph.ts";
import { addInts, constantInput, type Context, refuse, rewired, without } from "./context.ts";

/** Squeeze, Unsqueeze, ReduceSum before 13: attribute to input. */
export function axesToInput(n: Node, c: Context): readonly Node[] | undefined {
  if (c.opset >= 13 || !n.attrs.has("axes")) return undefined;
  const axes = addInts(n, c, "axes", intsAttr(n, "axes"));
  return [rewired(n, [n.inputs[0] ?? "", axes], without(n.attrs, "axes"))];
}

/** Reductions of 18 and later: input to attribute. */
export function axesToAttribute(n: Node, c: Context): readonly Node[] | undefined {
  if (c.opset < 18) return undefined;
  const attrs = without(n.attrs, "noop_with_empty_axes");
  const x = n.inputs[0] ?? "";
  const axes = constantInput(n, c, 1, "the list of axes");
  if (axes !== undefined && axes.length > 0) {
    return [rewired(n, [x], new Map([...attrs, ["axes", attr.ints(axes)]]))];
  }
  if (intAttr(n, "noop_with_empty_axes", 0) === 0) return [rewired(n, [x], attrs)];
  if (!["ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd"].includes(n.op)) {
    throw refuse(n, "a reduction over no axes is not supported", "Remove the node.");
  }
  return [node("Identity", n.name, [x], n.outputs)];
}
