/**
 * Runs a sample through the program in the simulator and through the quantized model in another engine,
 * and compares the bits; compares every node and output with the float model.
 *
 * @module
 */

import { compare, type Metrics, sameLength } from "../calibrate/metrics.ts";
import type { Engine, Feeds } from "../ir/engine.ts";
import type { Tensor } from "../ir/tensor.ts";
import { bytesOfTensor, numbersOf } from "../ir/tensor.ts";
import { inPieces } from "../run/pieces.ts";
import { openProgram } from "../run/simulator.ts";
import type { Conversion } from "./convert.ts";

/** Values compared and values that differ. */
export interface Exactness {
  readonly differing: number;
  readonly total: number;
}

/** Values of two tensors of the same type whose bits differ. */
export function differingValues(a: Tensor, b: Tensor): number {
  const x = bytesOfTensor(a), y = bytesOfTensor(b);
  if (x.length !== y.length) return Math.max(a.data.length, b.data.length);
  const size = x.length / Math.max(a.data.length, 1);
  let n = 0;
  for (let i = 0; i < x.length; i += size) {
    for (let j = 0; j < size; j++) {
      if (x[i + j] !== y[i + j]) {
        n++;
        break;
      }
    }
  }
  return n;
}

/** Compares simulator and reference on every output. */
export function exactness(
  simulated: ReadonlyMap<string, Tensor>,
  reference: ReadonlyMap<string, Tensor>,
): Exactness {
  let differing = 0, total = 0;
  for (const [name, want] of reference) {
    const got = simulated.get(name);
    total += want.data.length;
    differing += got === undefined ? want.data.length : differingValues(got, want);
  }
  return { differing, total };
}

/** Similarity of a float tensor and its quantized form. */
export interface NodeMetrics {
  readonly cosine: number;
}

/** Distances of an output. */
export interface OutputMetrics {
  readonly name: string;
  readonly cosine: number;
  readonly l1: number;
  readonly l2: number;
  readonly chebyshev: number;
}

/** What {@linkcode prove} found. */
export interface Proof {
  readonly exact: Exactness;
  /** By float node name. */
  readonly nodes: ReadonlyMap<string, NodeMetrics>;
  readonly outputs: readonly OutputMetrics[];
}

const floats = (t: Tensor): Float32Array =>
  t.data instanceof Float32Array ? t.data : Float32Array.from(numbersOf(t));

function distances(float: Tensor, other: Tensor): Metrics {
  const [a, b] = sameLength([floats(float), floats(other)]);
  return compare(a!, b!);
}

/**
 * Proves a conversion on one sample.
 *
 * @param feeds values of the float graph's inputs
 * @param integerFeeds the same sample as the quantized graph takes it
 */
export async function prove(
  c: Conversion,
  engine: Engine,
  feeds: Feeds,
  integerFeeds: Feeds,
): Promise<Proof> {
  const wanted = new Map<string, string>();
  for (const g of c.layout.groups.values()) {
    if (g.outputs[0] !== undefined) wanted.set(g.node.name, g.outputs[0]);
  }
  for (const n of c.optimized.nodes) {
    const t = n.outputs[0]!;
    if (c.plan.nodes.get(n.name)?.on === "CPU" && c.optimized.types.get(t)?.dtype === "float32") {
      wanted.set(n.name, t);
    }
  }
  const outputNames = c.optimized.outputs.map((p) => p.name);
  const fetch = [...new Set([...wanted.values(), ...outputNames])];
  const session = await engine.open(c.optimized, fetch);
  const float = await session.run(feeds);
  await session.close();

  const byInteger = new Map<string, string>();
  for (const [node, t] of wanted) {
    const r = c.quantized.tensors.get(t);
    if (r !== undefined) byInteger.set(r.name, node);
  }
  const nodes = new Map<string, NodeMetrics>();
  const simulator = await openProgram(c.program, {
    cpu: engine,
    onNode(n, read) {
      for (const name of n.outputs) {
        const owner = byInteger.get(name);
        if (owner === undefined) continue;
        const t = wanted.get(owner)!;
        const r = c.quantized.tensors.get(t)!;
        const values = dequantized(read(name), r.scales, r.zero);
        nodes.set(owner, { cosine: compare(floats(float.get(t)!), values).cosine });
      }
    },
  });
  const simulated = await simulator.run(integerFeeds);
  await simulator.close();

  const reference = await inPieces(engine).open(c.quantized.graph);
  const exact = exactness(simulated, await reference.run(integerFeeds));
  await reference.close();

  const outputs = outputNames.map((name): OutputMetrics => {
    const m = distances(float.get(name)!, simulated.get(name)!);
    return { name, cosine: m.cosine, l1: m.l1, l2: m.l2, chebyshev: m.chebyshev };
  });
  for (const [node, t] of wanted) {
    const got = simulated.get(t);
    if (!nodes.has(node) && got !== undefined) {
      nodes.set(node, { cosine: distances(float.get(t)!, got).cosine });
    }
  }
  return { exact, nodes, outputs };
}

/** Real values of an integer tensor; scales are one, or per channel (axis 1). */
export function dequantized(t: Tensor, scales: Float32Array, zero: number): Float32Array {
  const inner = scales.length === 1 ? t.data.length : t.shape.slice(2).reduce((a, b) => a * b, 1);
  const out = new Float32Array(t.data.length);
  for (let i = 0; i < out.length; i++) {
    const s = scales.length === 1 ? scales[0]! : scales[Math.floor(i / inner) % scales.length]!;
    out[i] = Math.fround(Number(t.data[i]) - zero) * s;
  }
  return out;
}
