/**
 * Pad: opset 2 (attributes), 11 (inputs), 18 (input `axes`), 19 (mode `wrap`).
 *
 * @module
 */

import { attr, floatAttr, intsAttr, type Node, node, stringAttr } from "../../../ir/graph.ts";
import {
  addInts,
  addScalarLike,
  constantInput,
  type Context,
  helper,
  refuse,
  rewired,
  without,
} from "./context.ts";

/** Pads for every axis, as an input. */
export function pad(n: Node, c: Context): readonly Node[] | undefined {
  const x = n.inputs[0] ?? "";
  if (stringAttr(n, "mode", "constant") === "wrap") return wrap(n, c);
  if (c.opset < 11) {
    const pads = addInts(n, c, "pads", intsAttr(n, "pads"));
    const value = addScalarLike(n, c, "value", floatAttr(n, "value", 0), x);
    return [rewired(n, [x, pads, value], without(n.attrs, "pads", "value"))];
  }
  if (c.opset < 18 || (n.inputs[3] ?? "") === "") return undefined;
  const rank = rankOf(n, c);
  const inputs = [x, "", n.inputs[2] ?? ""];
  while (inputs.at(-1) === "") inputs.pop();
  if (c.constant(n.inputs[1] ?? "") !== undefined) {
    inputs[1] = addInts(n, c, "pads", allPads(n, c, rank));
    return [rewired(n, inputs)];
  }
  // Pads that are computed go to their places among zeros.
  const axes = axesOf(n, c, rank);
  const places = addInts(n, c, "places", [...axes, ...axes.map((a) => a + rank)]);
  const none = addInts(n, c, "no_pads", new Array<number>(2 * rank).fill(0));
  const all = helper(n, c, "ScatterElements", "pads", [none, places, n.inputs[1] ?? ""]);
  inputs[1] = all.outputs[0]!;
  return [all, rewired(n, inputs)];
}

function rankOf(n: Node, c: Context): number {
  const rank = c.fact(n.inputs[0] ?? "").rank;
  if (rank === undefined) {
    throw refuse(n, "the rank of the padded tensor is not known", "Export with opset 17.");
  }
  return rank;
}

function axesOf(n: Node, c: Context, rank: number): number[] {
  const given = constantInput(n, c, 3, "the list of axes");
  const axes = given?.map((a) => a < 0 ? a + rank : a) ?? Array.from({ length: rank }, (_, i) => i);
  const bad = axes.find((a) => !(a >= 0 && a < rank));
  if (bad !== undefined) throw refuse(n, `axis ${bad} is outside of a tensor of rank ${rank}`);
  return axes;
}

/** Constant pads of every axis: all starts, all ends. */
function allPads(n: Node, c: Context, rank: number): number[] {
  const pads = constantInput(n, c, 1, "the padding") ?? [];
  const axes = axesOf(n, c, rank);
  const all = new Array<number>(2 * rank).fill(0);
  axes.forEach((axis, i) => {
    all[axis] = pads[i] ?? 0;
    all[axis + rank] = pads[i + axes.length] ?? 0;
  });
  return all;
}

/** `wrap`: a Gather along every padded axis, with indices modulo the size. */
function wrap(n: Node, c: Context): readonly Node[] {
  const rank = rankOf(n, c);
  const pads = allPads(n, c, rank);
  const shape = c.fact(n.inputs[0] ?? "").shape ?? [];
  const nodes: Node[] = [];
  let x = n.inputs[0] ?? "";
  for (let axis = 0; axis < rank; axis++) {
    const before = pads[axis]!, after = pads[axis + rank]!;
    if (before === 0 && after === 0) continue;
    const size = shape[axis] ?? -1;
    const length = before + size + after;
    if (size < 1 || length < 1 || length > 1 << 20) {
      throw refuse(n, "wrapping needs a known input size", "Fix the input shape.");
    }
    const indices = Array.from({ length }, (_, i) => ((i - before) % size + size) % size);
    const picked = helper(n, c, "Gather", `wrap${axis}`, [
      x,
      addInts(n, c, `wrap${axis}`, indices),
    ], { axis: attr.int(axis) });
    nodes.push(picked);
    x = picked.outputs[0]!;
  }
  return [...nodes, node("Identity", n.name, [x], n.outputs)];
}
