/**
 * GroupNormalization: opset 18 (scale and bias per group), 21 (per channel).
 *
 * @module
 */

import { attr, floatAttr, intAttr, type Node, node } from "../../../ir/graph.ts";
import type { Tensor } from "../../../ir/tensor.ts";
import { addInts, type Context, helper, refuse } from "./context.ts";

/**
 *     x ─ Reshape [N, G, -1] ─ InstanceNormalization ─ Reshape(Shape(x)) ─ y           per group
 *     x ─ Reshape [N, G, -1] ─ InstanceNormalization(1, 0) ─ Reshape [N, C, -1]
 *         ─ Mul(scale) ─ Add(bias) ─ Reshape(Shape(x)) ─ y                             per channel
 */
export function groupNormalization(n: Node, c: Context): readonly Node[] | undefined {
  const [x = "", scale = "", bias = ""] = n.inputs;
  const groups = intAttr(n, "num_groups");
  if (groups < 1 || groups > 65536) throw refuse(n, `${groups} groups are not possible`);
  const dtype = c.fact(x).dtype ?? "float32";
  if (dtype !== "float32") throw refuse(n, `group normalization of ${dtype} is not supported`);
  const epsilon = attr.float(floatAttr(n, "epsilon", 1e-5));
  const grouped = helper(n, c, "Reshape", "groups", [
    x,
    addInts(n, c, "group_shape", [0, groups, -1]),
  ]);
  const size = helper(n, c, "Shape", "shape", [x]);
  const nodes = [grouped, size];
  let last: string;
  if (c.opset < 21) {
    const norm = node("InstanceNormalization", n.name, [grouped.outputs[0]!, scale, bias], [
      c.unique(`${n.name}_norm_out`),
    ], { epsilon });
    nodes.push(norm);
    last = norm.outputs[0]!;
  } else {
    const fill = (v: number): Tensor => ({
      dtype,
      shape: [groups],
      data: new Float32Array(groups).fill(v),
    });
    const ones = c.addConstant(`${n.name}_ones`, fill(1));
    const zeros = c.addConstant(`${n.name}_zeros`, fill(0));
    const norm = node("InstanceNormalization", n.name, [grouped.outputs[0]!, ones, zeros], [
      c.unique(`${n.name}_norm_out`),
    ], { epsilon });
    const nc = helper(n, c, "Slice", "nc", [
      size.outputs[0]!,
      addInts(n, c, "start", [0]),
      addInts(n, c, "end", [2]),
    ]);
    const shape3 = helper(n, c, "Concat", "channel_shape", [
      nc.outputs[0]!,
      addInts(n, c, "rest", [-1]),
    ], { axis: attr.int(0) });
    const channels = helper(n, c, "Reshape", "channels", [norm.outputs[0]!, shape3.outputs[0]!]);
    const column = addInts(n, c, "column", [1]);
    const s = helper(n, c, "Unsqueeze", "scale", [scale, column]);
    const b = helper(n, c, "Unsqueeze", "bias", [bias, column]);
    const scaled = helper(n, c, "Mul", "scaled", [channels.outputs[0]!, s.outputs[0]!]);
    const shifted = helper(n, c, "Add", "shifted", [scaled.outputs[0]!, b.outputs[0]!]);
    nodes.push(norm, nc, shape3, channels, s, b, scaled, shifted);
    last = shifted.outputs[0]!;
  }
  return [
    ...nodes,
    node("Reshape", c.unique(`${n.name}_reshape`), [last, size.outputs[0]!], n.outputs),
  ];
}
