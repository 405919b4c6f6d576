/**
 * Runs a net in stock onnxruntime-web and compares every output with expected arrays; the types of all
 * tensors, intermediate ones too, are compared with what the runtime produced.
 *
 * @module
 */

import { strict as assert } from "node:assert";
import { loadOrt } from "../../../deps.ts";
import type { Graph } from "../../../ir/graph.ts";
import { verify } from "../../../ir/verify.ts";
import { saveOnnx } from "../../onnx/save.ts";
import { loadCaffe } from "../load.ts";
import { encodeModel, type TestBlob } from "./encode.ts";
import { generator } from "./random.ts";
import { type Arr, arr } from "./reference.ts";

const ort = await loadOrt();

ort.env.wasm.numThreads = 1;

/** Runs a graph; returns all tensors by name with their shapes. */
export async function run(
  graph: Graph,
  feeds: ReadonlyMap<string, Arr>,
  everything = true,
): Promise<Map<string, Arr>> {
  verify(graph);
  const inputs = new Set(graph.inputs.map((i) => i.name));
  const outputs = everything
    ? [...graph.types].filter(([n]) => !inputs.has(n)).map(([name, t]) => ({ name, ...t }))
    : graph.outputs;
  const session = await ort.InferenceSession.create(saveOnnx({ ...graph, outputs }), {
    graphOptimizationLevel: "disabled",
    logSeverityLevel: 3,
  });
  const fed = Object.fromEntries(
    [...feeds].map((
      [n, a],
    ) => [n, new ort.Tensor("float32", Float32Array.from(a.data), [...a.shape])]),
  );
  const result = await session.run(fed);
  const all = new Map<string, Arr>();
  for (const [name, t] of Object.entries(result)) {
    if (everything) {
      assert.deepEqual([...t.dims], [...graph.types.get(name)!.shape], `shape of ${name}`);
    }
    all.set(name, arr([...t.dims], Array.from(t.data as ArrayLike<number | bigint>, Number)));
  }
  await session.release();
  return all;
}

/** One layer under test. */
export interface Case {
  /** The layer's block without name, bottoms and tops. */
  readonly layer: string;
  readonly inputs: readonly (readonly number[] | Arr)[];
  readonly blobs?: readonly TestBlob[];
  readonly tops?: number;
  readonly expected: (inputs: Arr[]) => Arr[];
  readonly tolerance?: number;
  readonly seed?: number;
}

/** Random values in [-1, 1), rounded to float32. */
export function randomArr(shape: readonly number[], random: () => number): Arr {
  const a = arr(shape);
  return arr(shape, a.data.map(() => Math.fround(random() * 2 - 1)));
}

/** A random blob of a shape. */
export function randomBlob(shape: readonly number[], seed: number): TestBlob & Arr {
  return randomArr(shape, generator(seed));
}

/** Builds a net of inputs and one layer, runs it and compares. */
export async function check(c: Case): Promise<Graph> {
  const random = generator(c.seed ?? 1);
  const inputs = c.inputs.map((i) => "data" in i ? i : randomArr(i, random));
  const bottoms = inputs.map((_, i) => `bottom: "in${i}"`).join(" ");
  const tops = Array.from({ length: c.tops ?? 1 }, (_, i) => `top: "out${i}"`).join(" ");
  const prototxt = [
    ...inputs.map((a, i) =>
      `layer { name: "in${i}" type: "Input" top: "in${i}" input_param { shape { ${
        a.shape.map((d) => `dim: ${d}`).join(" ")
      } } } }`
    ),
    `layer { name: "layer" ${bottoms} ${tops} ${c.layer} }`,
  ].join("\n");
  const graph = loadCaffe(prototxt, encodeModel([{ name: "layer", blobs: c.blobs ?? [] }]));
  const outputs = await run(graph, new Map(inputs.map((a, i) => [`in${i}`, a])));
  c.expected(inputs).forEach((want, i) => {
    const got = outputs.get(`out${i}`);
    assert.ok(got !== undefined, `${c.layer}: out${i} is missing`);
    compare(got, want, c.tolerance ?? 1e-5, `${c.layer} on ${inputs.map((a) => a.shape)}`);
  });
  return graph;
}

/** Equal shapes, and values within `tolerance` of the larger of 1 and the value. */
export function compare(got: Arr, want: Arr, tolerance: number, what: string): void {
  assert.deepEqual([...got.shape], [...want.shape], `${what}: shape`);
  for (let i = 0; i < want.data.length; i++) {
    const [g, w] = [got.data[i]!, want.data[i]!];
    if (Math.abs(g - w) <= tolerance * Math.max(1, Math.abs(w))) continue;
    assert.fail(`${what}: element ${i} is ${g}, Caffe gives ${w}`);
  }
}
