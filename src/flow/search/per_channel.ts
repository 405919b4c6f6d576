/**
 * Per-channel activation scales. A convolution can divide every channel of its result by a factor of
 * its own, and the convolutions that read it can multiply by it, both in their weights: then one scale
 * fits all channels. The float result does not change but for rounding.
 *
 * @module
 */

import type { TensorStats } from "../../calibrate/stats.ts";
import { consumers, intAttr } from "../../ir/graph.ts";
import type { Graph, Node } from "../../ir/graph.ts";
import { f32 } from "../../ir/tensor.ts";
import type { Tensor } from "../../ir/tensor.ts";
import type { Group, QuantLayout } from "../../quantize/layout.ts";

/** Largest factor of a channel: more would push the weights of the readers below their step. */
const LARGEST = 32;

/** The same where a reader mixes channels. */
const DENSE = 4;

/** What {@linkcode perChannel} did. */
export interface PerChannel {
  readonly graph: Graph;
  /** Tensors whose channels have scales of their own now. */
  readonly scaled: readonly string[];
  /** Why others have not: one sentence each. */
  readonly notes: readonly string[];
}

/** Operators that keep channels apart and commute with a positive factor per channel. */
const homogeneous: ReadonlySet<string> = new Set([
  "Relu",
  "LeakyRelu",
  "PRelu",
  "MaxPool",
  "AveragePool",
  "GlobalAveragePool",
  "GlobalMaxPool",
]);

const passes = (graph: Graph, n: Node) =>
  n.domain === "" && homogeneous.has(n.op) && n.outputs.length === 1 &&
  n.inputs.slice(1).every((t) => t === "" || graph.constants.has(t));

/**
 * Gives the results of convolutions one scale per channel, where every reader can absorb it.
 */
export function perChannel(
  graph: Graph,
  layout: QuantLayout,
  stats: (tensor: string) => TensorStats | undefined,
): PerChannel {
  const readers = consumers(graph);
  const outputs = new Set(graph.outputs.map((o) => o.name));
  const constants = new Map(graph.constants);
  const scaled: string[] = [], notes: string[] = [];
  for (const g of layout.groups.values()) {
    if (!isConvolution(graph, g, readers) || layout.accumulators.has(g.outputs[0]!)) continue;
    const t = g.outputs[0]!;
    const refuse = (why: string) => notes.push(`${g.node.name}: ${t} keeps one scale: ${why}`);
    const clamp = g.clamp;
    if (clamp !== undefined && (clamp.lo !== 0 && clamp.lo !== -Infinity || clamp.hi < Infinity)) {
      refuse("its activation has bounds");
      continue;
    }
    const found = readersOf(graph, layout, t, readers, outputs);
    if (typeof found === "string") {
      refuse(found);
      continue;
    }
    const range = stats(layout.root(t))?.channels;
    const channels = graph.constants.get(g.node.inputs[1]!)!.shape[0]!;
    if (range === undefined || range.max.length !== channels) continue;
    const peaks = Array.from(
      range.max,
      (v, c) => Math.max(Math.abs(v), Math.abs(range.min[c]!)),
    );
    const top = Math.max(...peaks);
    if (!(top > 0)) continue;
    // A depthwise reader has a weight scale per channel and loses nothing. In a dense one the weights of
    // quiet channels shrink below the step of the loud ones: half of the spread (in decibels) is moved.
    const depthwise = found.every((n) => intAttr(n, "group", 1) === channels);
    const factor = peaks.map((v) =>
      v > 0 ? depthwise ? Math.min(LARGEST, top / v) : Math.min(DENSE, Math.sqrt(top / v)) : 1
    );
    multiply(constants, g.node.inputs[1]!, (i, shape) => factor[Math.floor(i / inner(shape, 0))]!);
    const bias = g.node.inputs[2] ?? "";
    if (bias !== "") multiply(constants, bias, (i) => factor[i]!);
    for (const node of found) {
      const group = intAttr(node, "group", 1);
      multiply(constants, node.inputs[1]!, (i, shape) => {
        const output = Math.floor(i / inner(shape, 0));
        const input = Math.floor(i / inner(shape, 1)) % shape[1]!;
        const block = Math.floor(output / (shape[0]! / group));
        return 1 / factor[block * shape[1]! + input]!;
      });
    }
    scaled.push(t);
  }
  return { graph: { ...graph, constants }, scaled, notes };
}

const inner = (shape: readonly number[], axis: number) =>
  shape.slice(axis + 1).reduce((a, b) => a * b, 1);

/** A BPU convolution (weights [out, in / group, ...]) with constants of its own. */
function isConvolution(
  graph: Graph,
  g: Group,
  readers: ReadonlyMap<string, readonly Node[]>,
): boolean {
  const n = g.node, weights = graph.constants.get(n.inputs[1] ?? "");
  const own = n.inputs.slice(1).every((t) =>
    t === "" ||
    (graph.constants.get(t)?.data instanceof Float32Array && readers.get(t)?.length === 1)
  );
  const axis = g.def.quant?.weights?.find((w) => w.input === 1)?.axis;
  return g.def.quant?.heavy === true && axis === 0 && n.domain === "" && own &&
    weights !== undefined && weights.shape.length >= 3;
}

/** The convolutions that read a tensor, through data reduction that keeps channels; or why not. */
function readersOf(
  graph: Graph,
  layout: QuantLayout,
  tensor: string,
  readers: ReadonlyMap<string, readonly Node[]>,
  outputs: ReadonlySet<string>,
): Node[] | string {
  const found: Node[] = [];
  const queue = [tensor];
  for (let t = queue.pop(); t !== undefined; t = queue.pop()) {
    if (outputs.has(t)) return "it is an output of the model";
    for (const n of readers.get(t) ?? []) {
      const g = layout.groups.get(n.name);
      if (g === undefined) return `${n.name} (${n.op}) runs in float`;
      if (isConvolution(graph, g, readers) && n.inputs[0] === t) found.push(n);
      else if (passes(graph, n) && n.inputs[0] === t) queue.push(g.outputs[0]!);
      else return `${n.name} (${n.op}) cannot absorb the scales`;
    }
  }
  return found.length > 0 ? found : "nothing reads it";
}

function multiply(
  constants: Map<string, Tensor>,
  name: string,
  factor: (i: number, shape: readonly number[]) => number,
): void {
  const t = constants.get(name)!;
  const data = t.data as Float32Array;
  constants.set(name, f32(t.shape, data.map((v, i) => v * factor(i, t.shape))));
}
