/**
 * One-dimensional convolutions and poolings become two-dimensional ones of height 1.
 *
 * @module
 */

import { type Attr, attr, intsAttr, type Node, node } from "../ir/graph.ts";
import { reshapeNode } from "./match.ts";
import { nodePass } from "./pass.ts";
import type { Rewriter } from "./rewriter.ts";

const WITH_WEIGHTS = ["Conv", "ConvTranspose"];
const POOLS = ["MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool"];

/** [N, C, L] as [N, C, 1, L]. */
function lifted(shape: readonly number[]): number[] {
  return [shape[0]!, shape[1]!, 1, shape[2]!];
}

/** List attributes with the entry for the new dimension in front of each spatial group. */
function liftedAttrs(n: Node): Record<string, Attr | undefined> {
  const lift = (key: string, value: number): Record<string, Attr> => {
    const list = intsAttr(n, key, []);
    if (list.length === 0) return {};
    const lengthened = list.length === 2 ? [value, list[0]!, value, list[1]!] : [value, list[0]!];
    return { [key]: attr.ints(lengthened) };
  };
  return {
    ...lift("kernel_shape", 1),
    ...lift("strides", 1),
    ...lift("dilations", 1),
    ...lift("pads", 0),
    ...lift("output_padding", 0),
    ...lift("output_shape", 1),
  };
}

/** The weights [M, C, K] as [M, C, 1, K]: another constant, or a Reshape of computed ones. */
function liftWeights(w: Rewriter, n: Node, nodes: Node[]): string {
  const name = n.inputs[1]!;
  const t = w.constant(name);
  if (t === undefined) {
    const { dtype, shape } = w.type(name)!;
    const at = w.nodeName(`${n.name}_reshape_weights`);
    const to = w.temp(at, { dtype, shape: lifted(shape) });
    nodes.push(reshapeNode(w, at, name, to, lifted(shape)));
    return to;
  }
  return w.revise(name, n, { ...t, shape: lifted(t.shape) });
}

/** Conv, ConvTranspose and poolings of rank 3 work on [N, C, 1, L] between Reshapes. */
export const conv1dToConv2d = nodePass<{ readonly shape: readonly number[] }>({
  name: "conv1d_to_conv2d",
  doc: `x [N,C,L] -> Conv(k)   =>   Reshape [N,C,1,L] -> Conv(1xk) -> Reshape`,
  ops: [...WITH_WEIGHTS, ...POOLS],
  check(w, n) {
    const shape = w.shape(n.inputs[0]!);
    if (shape?.length !== 3) return undefined;
    if (w.shape(n.outputs[0]!) === undefined) return "its output shape is not known";
    if (WITH_WEIGHTS.includes(n.op) && w.constant(n.inputs[1]!) === undefined) {
      if (n.op !== "Conv") return "its weights are not constant";
      if (w.shape(n.inputs[1]!) === undefined) return "the shape of its weights is not known";
    }
    if (n.outputs.length > 1 && n.outputs[1] !== "") return "it returns indices";
    return { shape };
  },
  rewrite(w, n, m) {
    const [x, out] = [n.inputs[0]!, n.outputs[0]!];
    const type = w.type(out)!;
    const [before, after] = [
      w.nodeName(`${n.name}_reshape_in`),
      w.nodeName(`${n.name}_reshape_out`),
    ];
    const x4 = w.temp(before, { dtype: w.type(x)!.dtype, shape: lifted(m.shape) });
    const y4 = w.temp(`${n.name}_2d`, { dtype: type.dtype, shape: lifted(type.shape) });
    const nodes: Node[] = [];
    const inputs = WITH_WEIGHTS.includes(n.op)
      ? [x4, liftWeights(w, n, nodes), ...n.inputs.slice(2)]
      : [x4];
    const attrs = new Map(n.attrs);
    for (const [key, value] of Object.entries(liftedAttrs(n))) if (value) attrs.set(key, value);
    w.replace([n], [
      ...nodes,
      reshapeNode(w, before, x, x4, lifted(m.shape)),
      node(n.op, n.name, inputs, [y4], attrs),
      reshapeNode(w, after, y4, out, type.shape),
    ]);
  },
});
