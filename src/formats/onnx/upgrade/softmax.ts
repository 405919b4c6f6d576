/**
 * Softmax, LogSoftmax and Hardmax: before opset 13 they flatten the tensor to a matrix at `axis` (default
 * 1) and work on its rows; from 13 on they work along one axis (default -1).
 *
 * @module
 */

import { attr, intAttr, type Node, node } from "../../../ir/graph.ts";
import { type Context, type Fact, helper, rewired } from "./context.ts";

/** From opset 13 on nothing changes; before it is {@linkcode rowSoftmax}. */
export function softmax(n: Node, c: Context): readonly Node[] | undefined {
  return c.opset >= 13 ? undefined : rowSoftmax(n, c, c.fact(n.inputs[0] ?? ""));
}

/**
 * The softmax over all axes from `axis` on of a tensor of which `fact` is known: along
 * one axis where it is the last one or everything behind it has size 1; else
 *
 *     x ─ Flatten(axis) ─ Softmax(-1) ─ Reshape(Shape(x)) ─ y
 */
export function rowSoftmax(n: Node, c: Context, fact: Fact): readonly Node[] {
  const x = n.inputs[0] ?? "";
  const axis = intAttr(n, "axis", 1);
  const { rank, shape } = fact;
  const along = (a: number) => [rewired(n, n.inputs, new Map([["axis", attr.int(a)]]))];
  if (axis === -1 || (rank !== undefined && (axis < 0 ? axis + rank : axis) === rank - 1)) {
    return along(-1);
  }
  if (shape !== undefined) {
    const at = axis < 0 ? axis + shape.length : axis;
    if (shape.slice(at + 1).every((d) => d === 1)) return along(at);
  }
  const flat = helper(n, c, "Flatten", "flat", [x], { axis: attr.int(axis) });
  const soft = helper(n, c, n.op, "rows", [flat.outputs[0]!], { axis: attr.int(-1) });
  const size = helper(n, c, "Shape", "shape", [x]);
  const back = node("Reshape", c.unique(`${n.name}_reshape`), [
    soft.outputs[0]!,
    size.outputs[0]!,
  ], n.outputs);
  return [flat, { ...soft, name: n.name }, size, back];
}
