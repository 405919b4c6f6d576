/**
 * TopK: opset 1 has `k` as an attribute, opset 10 as an input; 11 adds `largest` and `sorted`, whose
 * defaults are what older ones do.
 *
 * @module
 */

import { intAttr, type Node } from "../../../ir/graph.ts";
import { addInts, type Context, rewired, without } from "./context.ts";

/** `k` to an input. */
export function topK(n: Node, c: Context): readonly Node[] | undefined {
  if (c.opset >= 10) return undefined;
  const k = addInts(n, c, "k", [intAttr(n, "k")]);
  return [rewired(n, [n.inputs[0] ?? "", k], without(n.attrs, "k"))];
}
