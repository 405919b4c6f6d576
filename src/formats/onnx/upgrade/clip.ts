/**
 * Clip: opset 6 has `min` and `max` as attributes, opset 11 as inputs.
 *
 * @module
 */

import { floatAttr, type Node } from "../../../ir/graph.ts";
import { addScalarLike, type Context, rewired, without } from "./context.ts";

/** Attributes to inputs; an absent bound stays absent. */
export function clip(n: Node, c: Context): readonly Node[] | undefined {
  if (c.opset >= 11) return undefined;
  const x = n.inputs[0] ?? "";
  const bound = (key: string): string =>
    n.attrs.has(key) ? addScalarLike(n, c, key, floatAttr(n, key), x) : "";
  const inputs = [x, bound("min"), bound("max")];
  while (inputs.at(-1) === "") inputs.pop();
  return [rewired(n, inputs, without(n.attrs, "min", "max", "consumed_inputs"))];
}
