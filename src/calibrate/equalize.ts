/**
 * Cross-layer equalisation (Nagel et al., "Data-free quantization through weight equalization and bias
 * correction", 2019): scales the channels between two convolutions so that both use the range of their
 * weights alike. Only weights and biases change; the float result does not, but for rounding.
 *
 * @module
 */

import { consumers, type Graph, intAttr, type Node } from "../ir/graph.ts";
import { f32, type Tensor } from "../ir/tensor.ts";

/** Operators between the two that keep channels apart and commute with a positive factor. */
const homogeneous: ReadonlySet<string> = new Set([
  "Relu",
  "LeakyRelu",
  "PRelu",
  "Identity",
  "Dropout",
  "MaxPool",
  "AveragePool",
  "GlobalAveragePool",
  "GlobalMaxPool",
]);

/** Options of {@linkcode equalize}. */
export interface EqualizeOptions {
  /** Rounds over all pairs; default 40. They end early when nothing moves by more than 0.1 %. */
  readonly iterations?: number;
  /** Largest factor (and inverse of the smallest) of a channel over all rounds; default 256. */
  readonly limit?: number;
  /** Which pairs (node names) may be equalized; default all. */
  readonly pair?: (first: string, second: string) => boolean;
}

/** Two convolutions that were equalized. */
export interface EqualizedPair {
  readonly first: string;
  readonly second: string;
  /** What channel i of the tensor between them was multiplied by. */
  readonly factors: Float64Array;
}

/** The graph with its pairs. */
export interface Equalized {
  readonly graph: Graph;
  readonly pairs: readonly EqualizedPair[];
}

interface Pair {
  readonly first: Node;
  readonly second: Node;
  readonly channels: number;
  /** Of the second. */
  readonly group: number;
  readonly factors: Float64Array;
}

/** The weights of a Conv, where they are constants that no other node uses. */
function ownWeights(graph: Graph, n: Node, readers: ReadonlyMap<string, Node[]>): boolean {
  if (n.op !== "Conv" || n.domain !== "") return false;
  return n.inputs.slice(1).every((name) =>
    name === "" || (graph.constants.get(name)?.data instanceof Float32Array &&
      readers.get(name)?.length === 1)
  );
}

function findPairs(graph: Graph): Pair[] {
  const readers = consumers(graph);
  const shown = new Set(graph.outputs.map((o) => o.name));
  const pairs: Pair[] = [];
  for (const first of graph.nodes) {
    if (!ownWeights(graph, first, readers)) continue;
    let tensor = first.outputs[0]!;
    let second: Node | undefined;
    for (;;) {
      const next = readers.get(tensor);
      const n = next?.[0];
      if (shown.has(tensor) || next?.length !== 1 || n === undefined || n.inputs[0] !== tensor) {
        break;
      }
      if (ownWeights(graph, n, readers)) {
        second = n;
        break;
      }
      const passes = n.domain === "" && homogeneous.has(n.op) && n.outputs.length === 1 &&
        n.inputs.slice(1).every((name) => name === "" || graph.constants.has(name));
      if (!passes) break;
      tensor = n.outputs[0]!;
    }
    if (second === undefined) continue;
    const channels = graph.constants.get(first.inputs[1]!)!.shape[0]!;
    const shape = graph.constants.get(second.inputs[1]!)!.shape;
    const group = intAttr(second, "group", 1);
    if (group * shape[1]! !== channels || shape[0]! % group !== 0) continue;
    pairs.push({ first, second, channels, group, factors: new Float64Array(channels).fill(1) });
  }
  return pairs;
}

/** Input channel of the second convolution that weight element `i` multiplies. */
function inputChannel(w: Tensor, group: number, i: number): number {
  const [outputs, perGroup] = [w.shape[0]!, w.shape[1]!];
  const taps = w.shape.slice(2).reduce((a, b) => a * b, 1);
  const output = Math.floor(i / (perGroup * taps));
  return Math.floor(output / (outputs / group)) * perGroup + Math.floor(i / taps) % perGroup;
}

/**
 * Equalizes every pair of Conv nodes that are joined by nothing but operators that commute with a
 * positive factor per channel (Relu, LeakyRelu, PRelu, pooling), each read once, with constant weights
 * of their own. ReLU6 and other bounded activations end a pair.
 *
 * Channel i of the first is divided by s = sqrt(r1 / r2), that of the second multiplied, with r the
 * largest magnitude of the channel's weights: both become sqrt(r1 r2). Channels without weights on one
 * side stay as they are.
 */
export function equalize(graph: Graph, options: EqualizeOptions = {}): Equalized {
  const limit = options.limit ?? 256;
  const pairs = findPairs(graph).filter((p) =>
    options.pair === undefined || options.pair(p.first.name, p.second.name)
  );
  const work = new Map<string, Float64Array>();
  const values = (name: string): Float64Array => {
    let v = work.get(name);
    if (v === undefined) {
      v = Float64Array.from(graph.constants.get(name)!.data as Float32Array);
      work.set(name, v);
    }
    return v;
  };
  const round = (p: Pair): number => {
    const w1 = values(p.first.inputs[1]!), w2 = values(p.second.inputs[1]!);
    const shape = graph.constants.get(p.second.inputs[1]!)!;
    const per = w1.length / p.channels;
    const r1 = new Float64Array(p.channels), r2 = new Float64Array(p.channels);
    const owner = Int32Array.from(w2, (_, i) => inputChannel(shape, p.group, i));
    w1.forEach((v, i) => r1[Math.floor(i / per)] = Math.max(r1[Math.floor(i / per)]!, Math.abs(v)));
    w2.forEach((v, i) => r2[owner[i]!] = Math.max(r2[owner[i]!]!, Math.abs(v)));
    let moved = 0;
    const multiply = new Float64Array(p.channels);
    for (let c = 0; c < p.channels; c++) {
      const s = r1[c]! > 0 && r2[c]! > 0 ? Math.sqrt(r2[c]! / r1[c]!) : 1;
      const total = Math.min(limit, Math.max(1 / limit, p.factors[c]! * s));
      multiply[c] = total / p.factors[c]!;
      p.factors[c] = total;
      moved = Math.max(moved, Math.abs(Math.log(multiply[c]!)));
    }
    w1.forEach((v, i) => w1[i] = v * multiply[Math.floor(i / per)]!);
    w2.forEach((v, i) => w2[i] = v / multiply[owner[i]!]!);
    const bias = p.first.inputs[2] ?? "";
    if (bias !== "") {
      const b = values(bias);
      b.forEach((v, c) => b[c] = v * multiply[c]!);
    }
    return moved;
  };
  for (let k = options.iterations ?? 40; k > 0; k--) {
    const moved = pairs.reduce((m, p) => Math.max(m, round(p)), 0);
    if (moved < 1e-3) break;
  }
  const constants = new Map(graph.constants);
  for (const [name, v] of work) constants.set(name, f32(constants.get(name)!.shape, v));
  return {
    graph: { ...graph, constants },
    pairs: pairs.map((p) => ({ first: p.first.name, second: p.second.name, factors: p.factors })),
  };
}
