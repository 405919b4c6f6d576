/**
 * Graphs for the tests of the float kernels, and the comparison with onnxruntime-web.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Engine, Feeds } from "../../ir/engine.ts";
import { type Attr, type Graph, type Node, node, OPSET } from "../../ir/graph.ts";
import { elementCount, f32, i64, type Tensor, tensor } from "../../ir/tensor.ts";
import { inferTypes } from "../../ops/infer.ts";

/** Numbers from -1 to 1 that depend on a seed only. */
export function noise(n: number, seed: number): Float32Array {
  let s = Math.imul(seed + 1, 2654435761) >>> 0;
  return Float32Array.from({ length: n }, () => {
    s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
    return s / 2 ** 31 - 1;
  });
}

/** Builds a graph node by node; outputs are those of the last node. */
export class Sketch {
  readonly nodes: Node[] = [];
  readonly constants = new Map<string, Tensor>();
  readonly inputs: { name: string; dtype: "float32"; shape: number[] }[] = [];

  input(shape: number[]): string {
    const name = `x${this.inputs.length}`;
    this.inputs.push({ name, dtype: "float32", shape });
    return name;
  }

  /** A float constant of noise, or of the values given. */
  c(shape: number[], values?: ArrayLike<number>): string {
    const name = `c${this.constants.size}`;
    this.constants.set(name, f32(shape, values ?? noise(elementCount(shape), this.constants.size)));
    return name;
  }

  /** A zero point. */
  int8(value: number): string {
    const name = `c${this.constants.size}`;
    this.constants.set(name, tensor("int8", [], Int8Array.of(value)));
    return name;
  }

  int16(value: number): string {
    const name = `c${this.constants.size}`;
    this.constants.set(name, tensor("int16", [], Int16Array.of(value)));
    return name;
  }

  i(values: number[]): string {
    const name = `c${this.constants.size}`;
    this.constants.set(name, i64(values));
    return name;
  }

  op(op: string, inputs: string[], attrs: Record<string, Attr> = {}, domain = "", outputs = 1) {
    const k = this.nodes.length;
    const names = Array.from({ length: outputs }, (_, i) => `t${k}${i === 0 ? "" : `_${i}`}`);
    this.nodes.push(node(op, `n${k}`, inputs, names, attrs, domain));
    return names[0]!;
  }

  graph(): Graph {
    const bare: Graph = {
      ...{ name: "sketch", opset: OPSET, domains: new Map([["horizon", 1]]), nodes: this.nodes },
      ...{ inputs: this.inputs, outputs: [], constants: this.constants },
      ...{ types: new Map(), metadata: new Map() },
    };
    const { types } = inferTypes(bare);
    const outputs = this.nodes.at(-1)!.outputs.map((name) => ({ name, ...types.get(name)! }));
    return { ...bare, types, outputs };
  }
}

/** Samples for every input of a graph. */
export function feedsOf(graph: Graph, seed = 1): Feeds {
  return new Map(
    graph.inputs.map((p, i) => [p.name, f32(p.shape, noise(elementCount(p.shape), seed + i))]),
  );
}

/** Functions that turn large numbers into small ones. */
const saturating = new Set(["Sigmoid", "HzSwish", "HardSwish", "Exp"]);

function magnitude(t: Tensor): number {
  return (t.data as Float32Array).reduce((m, v) => Math.max(m, Math.abs(v)), 0);
}

/** Largest difference of two tensors, relative to the largest magnitude (at least `floor`). */
export function difference(got: Tensor, want: Tensor, floor = 1e-3): number {
  assert.deepEqual(got.shape, want.shape);
  const [a, b] = [got.data as Float32Array, want.data as Float32Array];
  let most = floor, worst = 0;
  for (let i = 0; i < b.length; i++) {
    most = Math.max(most, Math.abs(b[i]!));
    const d = Math.abs(a[i]! - b[i]!);
    if (!(d <= worst)) worst = d;
  }
  return worst / most;
}

/** Runs a graph on both engines and asserts that they agree within `tolerance` everywhere. */
export async function agree(
  graph: Graph,
  feeds: Feeds,
  ours: Engine,
  other: Engine,
  fetch: readonly string[] | undefined,
  tolerance: number,
): Promise<number> {
  const results: Map<string, Tensor>[] = [];
  for (const engine of [ours, other]) {
    const session = await engine.open(graph, fetch);
    await session.run(feeds);
    results.push(await session.run(feeds)); // buffers are used again
    await session.close();
  }
  let worst = 0;
  assert.deepEqual([...results[0]!.keys()].sort(), [...results[1]!.keys()].sort());
  for (const [name, want] of results[1]!) {
    const n = graph.nodes.find((n) => n.outputs.includes(name)), op = n?.op;
    // What rounds to much beside a small result may be small beside what it was computed from.
    const source = saturating.has(op ?? "") ? results[1]!.get(n!.inputs[0]!) : undefined;
    const d = difference(results[0]!.get(name)!, want, source && magnitude(source));
    assert.ok(d <= tolerance, `${graph.name}: ${name} of ${op} differs by ${d}`);
    worst = Math.max(worst, d);
  }
  return worst;
}
