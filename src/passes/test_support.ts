/**
 * What the tests of the passes share: small graphs, random data, and stock onnxruntime-web to show that
 * a rewritten graph computes the same.
 *
 * @module
 */

import { loadOrt } from "../deps.ts";
import type { Ort } from "../deps.ts";
import { saveOnnx } from "../formats/onnx/save.ts";
import { fn, type FunctionDef } from "../ir/function.ts";
import { type Graph, type Node, OPSET, type Port } from "../ir/graph.ts";
import {
  allocate,
  type DType,
  elementCount,
  f32,
  numbersOf,
  type Tensor,
  type TensorData,
} from "../ir/tensor.ts";
import { verify } from "../ir/verify.ts";
import type { Engine, Feeds, Session } from "../ir/engine.ts";
import type { March } from "../march/march.ts";
import { inferTypes } from "../ops/infer.ts";
import { hzRmsNormalization } from "../ops/hz_rms_norm.ts";
import { hzGeluTanh } from "../ops/hz_gelu_tanh.ts";
import type { Pass, PassResult } from "./pass.ts";

const ort = await loadOrt();

ort.env.wasm.numThreads = 1;
ort.env.logLevel = "error";

/** The float functions that passes introduce. */
export const FUNCTIONS: readonly FunctionDef[] = [
  fn("HzSwish", "x", "y", [], "s=Sigmoid(x); y=Mul(x, s)"),
  fn(
    "HzGelu",
    "x",
    "y",
    [],
    "a=Mul(x, f32:0.7071067811865476); b=Erf(a); c=Add(b, f32:1.0); d=Mul(x, c); y=Mul(d, f32:0.5)",
  ),
  hzGeluTanh.body!,
  hzRmsNormalization.body!,
  fn("HzMish", "x", "y", [], "a=Softplus(x); b=Tanh(a); y=Mul(x, b)"),
];

/** A small deterministic generator: values in [-1, 1). */
export class Rng {
  #state: number;
  constructor(seed: number) {
    this.#state = (seed * 2654435761 + 12345) >>> 0;
  }
  next(): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    return (this.#state >>> 8) / 2 ** 23 - 1;
  }
  int(lo: number, hi: number): number {
    return lo + Math.floor((this.next() + 1) / 2 * (hi - lo + 1));
  }
  pick<T>(items: readonly T[]): T {
    return items[this.int(0, items.length - 1)]!;
  }
  f32(shape: readonly number[], scale = 1, offset = 0): Tensor {
    return f32(
      shape,
      Array.from({ length: elementCount(shape) }, () => this.next() * scale + offset),
    );
  }
}

/** A graph with inferred types. Ports are `name: shape` of float32. */
export function graphOf(spec: {
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  readonly outputs: readonly string[];
  readonly nodes: readonly Node[];
  readonly constants?: Readonly<Record<string, Tensor>>;
}): Graph {
  const inputs: Port[] = Object.entries(spec.inputs).map(([name, shape]) => ({
    name,
    dtype: "float32",
    shape,
  }));
  const bare: Graph = {
    name: "test",
    opset: OPSET,
    domains: new Map(),
    nodes: spec.nodes,
    inputs,
    outputs: [],
    constants: new Map(Object.entries(spec.constants ?? {})),
    types: new Map(),
    metadata: new Map(),
  };
  const typed = inferTypes(bare);
  return {
    ...typed,
    outputs: spec.outputs.map((name) => ({ name, ...typed.types.get(name)! })),
  };
}

function toOrt(t: Tensor): Ort.Tensor {
  return new ort.Tensor(t.dtype as "float32", t.data as Float32Array, [...t.shape]);
}

function fromOrt(t: Ort.Tensor): Tensor {
  const dtype = t.type as DType;
  const data = t.data as TensorData;
  return { dtype, shape: [...t.dims], data };
}

/** onnxruntime-web as an {@linkcode Engine}, without any optimisation of its own. */
export const engine: Engine = {
  name: "onnxruntime-web",
  async open(graph): Promise<Session> {
    const session = await ort.InferenceSession.create(saveOnnx(graph, { functions: FUNCTIONS }), {
      executionProviders: ["wasm"],
      graphOptimizationLevel: "disabled",
      logSeverityLevel: 3,
    });
    return {
      async run(feeds: Feeds) {
        const inputs: Record<string, Ort.Tensor> = {};
        for (const [name, t] of feeds) inputs[name] = toOrt(t);
        const results = await session.run(inputs);
        return new Map(Object.entries(results).map(([name, t]) => [name, fromOrt(t)]));
      },
      async close() {
        await session.release();
      },
    };
  },
};

/** Random values for every input of a graph. */
export function randomFeeds(g: Graph, seed = 1): Map<string, Tensor> {
  const rng = new Rng(seed);
  return new Map(g.inputs.map((p) => {
    if (p.dtype === "float32") return [p.name, rng.f32(p.shape, 2)];
    const data = allocate(p.dtype, elementCount(p.shape));
    return [p.name, { dtype: p.dtype, shape: p.shape, data }];
  }));
}

/** Runs a graph in onnxruntime-web. */
export async function runGraph(g: Graph, feeds: Feeds): Promise<Map<string, Tensor>> {
  const session = await engine.open(g);
  try {
    return await session.run(feeds);
  } finally {
    await session.close();
  }
}

/** Largest difference of two results, relative to the largest magnitude (at least 1) of each output. */
export function difference(a: Map<string, Tensor>, b: Map<string, Tensor>): number {
  let worst = 0;
  if ([...a.keys()].sort().join() !== [...b.keys()].sort().join()) {
    throw new Error(`outputs ${[...a.keys()]} became ${[...b.keys()]}`);
  }
  for (const [name, ta] of a) {
    const tb = b.get(name)!;
    if (ta.dtype !== tb.dtype || ta.shape.join() !== tb.shape.join()) {
      throw new Error(`${name}: ${ta.dtype} ${ta.shape} became ${tb.dtype} ${tb.shape}`);
    }
    const [va, vb] = [numbersOf(ta), numbersOf(tb)];
    let magnitude = 1;
    for (const v of va) if (Number.isFinite(v)) magnitude = Math.max(magnitude, Math.abs(v));
    for (let i = 0; i < va.length; i++) {
      if (Object.is(va[i], vb[i]) || va[i] === vb[i]) continue;
      const d = Math.abs(va[i]! - vb[i]!) / magnitude;
      worst = Number.isNaN(d) ? Infinity : Math.max(worst, d);
    }
  }
  return worst;
}

/** A rewritten graph is well formed, has the types that inference gives it, and computes the same. */
export async function assertSame(before: Graph, after: Graph, tolerance = 2e-6): Promise<void> {
  verify(after);
  assertTypes(after);
  const feeds = randomFeeds(before, 7);
  const d = difference(await runGraph(before, feeds), await runGraph(after, feeds));
  if (!(d <= tolerance)) throw new Error(`outputs differ by ${d}`);
}

/** The types that passes wrote down are those that inference finds. */
export function assertTypes(g: Graph): void {
  const again = inferTypes(g, { declared: "ignore" });
  for (const n of g.nodes) {
    for (const o of n.outputs) {
      if (o === "") continue;
      const [is, should] = [g.types.get(o), again.types.get(o)];
      const text = (t: typeof is) => `${t?.dtype} [${t?.shape}]`;
      if (text(is) !== text(should)) {
        throw new Error(`${o} of ${n.name} (${n.op}) is ${text(should)}, noted as ${text(is)}`);
      }
    }
  }
}

/** Runs a pass and checks what must always hold; returns its result. */
export async function apply(
  pass: Pass,
  g: Graph,
  tolerance?: number,
  march?: March,
): Promise<PassResult> {
  const r = await pass.run(g, { engine, march });
  await assertSame(g, r.graph, tolerance);
  if (r.graph.outputs.map((o) => o.name).join() !== g.outputs.map((o) => o.name).join()) {
    throw new Error("the outputs of the graph have changed");
  }
  return r;
}

/** The operators of a graph in order, `Conv Relu`. */
export function ops(g: Graph): string {
  return g.nodes.map((n) => n.op).join(" ");
}

/** The first reason given for a node. */
export function why(r: PassResult, node: string): string {
  return r.reasons.find((x) => x.node === node)?.why ?? "";
}
