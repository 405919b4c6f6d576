/**
 * The runtime layout of inputs: the quantized graph takes an input in `input_layout_rt` (nv12 always
 * NHWC), the float stages take it in `input_layout_train`; Transpose nodes stand between.
 *
 * @module
 */

import type { CompleteInput, Layout } from "../formats/config/mod.ts";
import { runtimeLayout } from "../formats/config/mod.ts";
import { axesOf, relayout } from "../formats/data/axes.ts";
import type { Feeds } from "../ir/engine.ts";
import type { Graph, Node, Port } from "../ir/graph.ts";
import { attr, consumers, HORIZON, intsAttr, node } from "../ir/graph.ts";
import type { Tensor } from "../ir/tensor.ts";
import type { Quantized } from "../quantize/quantize.ts";
import { preprocessName } from "./inputs.ts";

const perms: Readonly<Record<Layout, readonly number[]>> = {
  NCHW: [0, 3, 1, 2],
  NHWC: [0, 2, 3, 1],
};

/** What an input needs to know of its configuration here. */
export type InputLayouts = Pick<CompleteInput, "name" | "typeRt" | "layoutRt" | "layoutTrain">;

/** Layout in which a port takes an input; undefined when it is that of training. */
function otherLayout(input: InputLayouts | undefined, shape: readonly number[]) {
  if (input === undefined || shape.length !== 4) return undefined;
  const rt = runtimeLayout(input as CompleteInput);
  return rt === input.layoutTrain ? undefined : rt;
}

const permuted = (shape: readonly number[], perm: readonly number[]) => perm.map((i) => shape[i]!);

/** Puts the runtime layout in front of a quantized graph. The other stages stay as they are. */
export function attachLayouts(q: Quantized, inputs: readonly InputLayouts[]): Quantized {
  let { graph } = q;
  const sources = new Map(q.sources);
  for (const p of graph.inputs) {
    const rt = otherLayout(inputs.find((i) => i.name === p.name), p.shape);
    if (rt !== undefined) graph = withLayout(graph, p, rt, sources);
  }
  return graph === q.graph ? q : { ...q, graph, sources };
}

function withLayout(graph: Graph, p: Port, rt: Layout, sources: Map<string, string>): Graph {
  const toRt = perms[rt], toTrain = perms[rt === "NHWC" ? "NCHW" : "NHWC"];
  const shape = permuted(p.shape, toRt);
  const dtype = p.dtype;
  const types = new Map(graph.types);
  types.set(p.name, { dtype, shape });
  const train = rt === "NHWC" ? "NCHW" : "NHWC";
  const base = `${preprocessName(p.name)}_${rt}2${train}_LayoutConvert_Input0`;
  const taken = new Set(graph.nodes.map((n) => n.name));
  const tensors = new Set([...graph.types.keys(), ...graph.constants.keys()]);
  const fresh = (name: string, used: Set<string>): string => {
    let out = name;
    for (let i = 1; used.has(out); i++) out = `${name}_${i}`;
    used.add(out);
    return out;
  };
  const added = new Map<Node, Node[]>();
  const front: Node[] = [];
  const renamed = new Map<Node, Node>();
  let shared: string | undefined;
  const transpose = (from: string, to: string): Node => {
    const name = fresh(base, taken);
    sources.set(name, name);
    return node("Transpose", name, [from], [to], { perm: attr.ints(toTrain) });
  };
  const readers = consumers(graph);
  const dropped = new Set<Node>();
  const aliases = new Map<string, string>();
  for (const n of new Set(readers.get(p.name) ?? [])) {
    if (n.op === "HzQuantize" && n.domain === HORIZON) {
      // Quantize first: the Transpose then moves bytes on the BPU instead of floats on the CPU.
      const out = n.outputs[0]!;
      const before = fresh(`${out}_${rt}`, tensors);
      types.set(before, { dtype: types.get(out)!.dtype, shape });
      renamed.set(n, { ...n, outputs: [before] });
      added.set(n, [transpose(before, out)]);
      continue;
    }
    const inverse = n.op === "Transpose" && n.domain === "" &&
      intsAttr(n, "perm", []).join() === toRt.join() &&
      !graph.outputs.some((o) => o.name === n.outputs[0]);
    if (inverse) {
      // The model's own Transpose undoes ours.
      dropped.add(n);
      aliases.set(n.outputs[0]!, p.name);
      continue;
    }
    if (shared === undefined) {
      shared = fresh(`${p.name}_${train}`, tensors);
      types.set(shared, { dtype, shape: p.shape });
      front.push(transpose(p.name, shared));
    }
    renamed.set(n, { ...n, inputs: n.inputs.map((t) => t === p.name ? shared! : t) });
  }
  const follow = (n: Node): Node =>
    n.inputs.some((t) => aliases.has(t))
      ? { ...n, inputs: n.inputs.map((t) => aliases.get(t) ?? t) }
      : n;
  return {
    ...graph,
    nodes: [
      ...front,
      ...graph.nodes.filter((n) => !dropped.has(n))
        .flatMap((n) => [follow(renamed.get(n) ?? n), ...added.get(n) ?? []]),
    ],
    inputs: graph.inputs.map((x) => x.name === p.name ? { ...x, shape } : x),
    types,
  };
}

/** A tensor in the layout of training as the runtime lays it out. */
export function toRuntimeLayout(t: Tensor, input: InputLayouts): Tensor {
  const rt = otherLayout(input, t.shape);
  if (rt === undefined) return t;
  const shape = permuted(t.shape, perms[rt]);
  const from = axesOf(t.shape, input.layoutTrain), to = axesOf(shape, rt);
  const data = new Float32Array(t.data.length);
  relayout(t.data as Float32Array, from, to, data);
  return { dtype: "float32", shape, data };
}

/** Float samples in the layout of training as the quantized stage and the `.bin` take them. */
export function runtimeFeeds(feeds: Feeds, inputs: readonly InputLayouts[]): Feeds {
  return new Map([...feeds].map(([name, t]): [string, Tensor] => {
    const input = inputs.find((i) => i.name === name);
    return [name, input === undefined ? t : toRuntimeLayout(t, input)];
  }));
}
