/**
 * AveragePool (19: `dilations`) and LpPool (18: `ceil_mode`, `dilations`).
 *
 * @module
 */

import { intAttr, intsAttr, type Node } from "../../../ir/graph.ts";
import { type Context, refuse, rewired, without } from "./context.ts";

/** The newer attributes are dropped where they say nothing. */
export function pool(n: Node, _c: Context): readonly Node[] | undefined {
  if (n.attrs.has("dilations") && intsAttr(n, "dilations").some((d) => d !== 1)) {
    throw refuse(n, "a dilated average is not supported", "Use a dilated Conv with equal weights.");
  }
  if (n.op === "LpPool" && intAttr(n, "ceil_mode", 0) !== 0) {
    throw refuse(n, "ceil_mode is not supported", "Pad the input instead.");
  }
  const attrs = n.op === "LpPool"
    ? without(n.attrs, "dilations", "ceil_mode")
    : without(n.attrs, "dilations");
  return attrs.size === n.attrs.size ? undefined : [rewired(n, n.inputs, attrs)];
}
