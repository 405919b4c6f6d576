/**
 * Split: opset 2 (attribute `split`), 13 (input), 18 (attribute `num_outputs`).
 *
 * @module
 */

import { intAttr, intsAttr, type Node } from "../../../ir/graph.ts";
import { addInts, type Context, rewired, without } from "./context.ts";

/** Sizes as an input; without sizes opset 17 splits evenly, as older ones do. */
export function split(n: Node, c: Context): readonly Node[] | undefined {
  const x = n.inputs[0] ?? "";
  if (c.opset < 13) {
    if (!n.attrs.has("split")) return undefined;
    const sizes = addInts(n, c, "split", intsAttr(n, "split"));
    return [rewired(n, [x, sizes], without(n.attrs, "split"))];
  }
  if (!n.attrs.has("num_outputs")) return undefined;
  const attrs = without(n.attrs, "num_outputs");
  const count = intAttr(n, "num_outputs");
  const { shape } = c.fact(x);
  const axis = intAttr(n, "axis", 0);
  const size = shape?.[axis < 0 ? axis + shape.length : axis] ?? -1;
  // An even split needs no sizes; where the size is not known, opset 17 refuses an uneven one itself.
  if (size < 0 || size % count === 0) return [rewired(n, [x], attrs)];
  const chunk = Math.ceil(size / count);
  const sizes = Array.from(
    { length: count },
    (_, i) => Math.max(0, Math.min(chunk, size - i * chunk)),
  );
  return [rewired(n, [x, addInts(n, c, "split", sizes)], attrs)];
}
