/** Quantized models come back as float graphs with fixed ranges, and agree with the original. */

import { equal, ok, throws } from "node:assert/strict";
import { loadOnnx } from "../formats/onnx/load.ts";
import type { Graph } from "../ir/graph.ts";
import { attr, node } from "../ir/graph.ts";
import type { Tensor } from "../ir/tensor.ts";
import { f32, numbersOf, tensor } from "../ir/tensor.ts";
import { bayes } from "../march/bayes.ts";
import { functionsOf } from "../ops/functions.ts";
import { inferTypes } from "../ops/infer.ts";
import { planScale } from "../quantize/plan.ts";
import { isQuantized, loadScales } from "../quantize/load_scales.ts";
import { createFloatEngine } from "../run/float.ts";
import { openProgram } from "../run/simulator.ts";
import { convert } from "./convert.ts";

const engine = createFloatEngine({ workers: 0, functions: functionsOf });

function random(shape: readonly number[], size: number, seed: number): Tensor {
  let state = seed >>> 0;
  const n = shape.reduce((a, b) => a * b, 1);
  return f32(
    shape,
    Array.from({ length: n }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return ((state >>> 8) / 2 ** 23 - 1) * size;
    }),
  );
}

async function run(graph: Graph, feeds: ReadonlyMap<string, Tensor>) {
  const session = await engine.open(graph);
  const out = await session.run(feeds);
  await session.close();
  return out;
}

async function simulated(original: Graph, feeds: ReadonlyMap<string, Tensor>) {
  const { graph, tensors } = loadScales(original);
  const c = await convert(graph, {
    march: bayes,
    engine,
    fixed: tensors,
    calibrator: {
      candidates: ["max"],
      observe: () => Promise.resolve(),
      threshold: (_, t, dtype) => ({ dtype, threshold: 8, zero: 0, method: `guess ${t}` }),
    },
  });
  const guessed = [...c.plan.tensors].filter(([, p]) => p.method.startsWith("guess"));
  const simulator = await openProgram(c.program, { cpu: engine });
  const out = await simulator.run(feeds);
  await simulator.close();
  return { c, out, guessed };
}

function distance(a: Tensor, b: Tensor): number {
  const [x, y] = [numbersOf(a), numbersOf(b)];
  let d = 0;
  for (let i = 0; i < x.length; i++) d = Math.max(d, Math.abs(x[i]! - y[i]!));
  return d;
}

/** x -> Q -> DQ -> Conv -> Q -> DQ -> y with int8 ranges around 0. */
function qdq(): Graph {
  const constants = new Map<string, Tensor>([
    ["xs", f32([], [1 / 64])],
    ["z", tensor("int8", [], Int8Array.of(0))],
    [
      "w",
      tensor("int8", [4, 3, 3, 3], Int8Array.from({ length: 108 }, (_, i) => i * 37 % 255 - 127)),
    ],
    ["ws", f32([4], [0.01, 0.02, 0.005, 0.03])],
    ["wz", tensor("int8", [4], new Int8Array(4))],
    ["ys", f32([], [1 / 8])],
    ["low", tensor("int8", [], Int8Array.of(-128))],
  ]);
  const axis = { axis: attr.int(0) };
  return inferTypes({
    name: "qdq",
    opset: 17,
    domains: new Map(),
    nodes: [
      node("QuantizeLinear", "q", ["x", "xs", "z"], ["xq"]),
      node("DequantizeLinear", "d", ["xq", "xs", "z"], ["xd"]),
      node("DequantizeLinear", "dw", ["w", "ws", "wz"], ["wd"], axis),
      node("Conv", "conv", ["xd", "wd"], ["c"]),
      node("QuantizeLinear", "q2", ["c", "ys", "low"], ["cq"]),
      node("DequantizeLinear", "d2", ["cq", "ys", "low"], ["cd"]),
      node("MaxPool", "pool", ["cd"], ["p"], { kernel_shape: attr.ints([2, 2]) }),
      node("Conv", "conv2", ["p", "w2"], ["y"]),
    ],
    inputs: [{ name: "x", dtype: "float32", shape: [1, 3, 8, 8] }],
    outputs: [{ name: "y", dtype: "float32", shape: [1, 2, 5, 5] }],
    constants: constants.set("w2", random([2, 4, 1, 1], 1, 5)),
    types: new Map(),
    metadata: new Map(),
  });
}

Deno.test("pairs become plans, a range from zero becomes a Relu, weights keep their steps", () => {
  const g = qdq();
  ok(isQuantized(g));
  const { graph, tensors, weights } = loadScales(g);
  equal(graph.nodes.map((n) => n.op).join(), "Conv,Relu,MaxPool,Conv");
  ok(!isQuantized(graph));
  equal(tensors.get("x")!.threshold, 127 / 64);
  equal(tensors.get("c_relu")!.zero, -128);
  equal(planScale(tensors.get("c_relu")!), 1 / 8);
  equal(tensors.has("c"), false);
  const want = f32([4], [0.01, 0.02, 0.005, 0.03]).data as Float32Array;
  equal(weights.get("wd")!.join(), Float32Array.from(want, (s) => 127 * s).join());
});

Deno.test("the restored model gives what the quantized one gave", async () => {
  const feeds = new Map([["x", random([1, 3, 8, 8], 1.5, 3)]]);
  for (const zero of [-128, -127, -40, 90]) {
    const plain = qdq();
    const low = tensor("int8", [], Int8Array.of(zero));
    const xz = tensor("uint8", [], Uint8Array.of(120));
    const constants = new Map(plain.constants).set("low", low).set("z", xz);
    const g = inferTypes({ ...plain, constants, types: new Map() });
    const want = (await run(g, feeds)).get("y")!;
    const { out, guessed } = await simulated(g, feeds);
    equal(guessed.length, 0, `no range was loaded for ${guessed.map(([t]) => t)}`);
    // conv2 sums four values, each within one step: the same zero points and saturation.
    const far = distance(want, out.get("y")!);
    ok(far <= 4 / 8, `zero point ${zero}: ${far}`);
  }
});

Deno.test("zero points are taken as they are, for int16 a symmetric range and a sentence", () => {
  const z = (t: Tensor) => {
    const g = qdq();
    const constants = new Map(g.constants).set("low", t);
    return loadScales(inferTypes({ ...g, constants, types: new Map() }));
  };
  for (const zero of [-128, -127, -50, -1, 1, 77, 127]) {
    const { tensors } = z(tensor("int8", [], Int8Array.of(zero)));
    const p = tensors.get(zero === -128 ? "c_relu" : "c")!;
    equal(p.zero, zero);
    equal(planScale(p), 1 / 8);
  }
  const u = z(tensor("uint8", [], Uint8Array.of(100))).tensors.get("c")!;
  equal(u.zero, -28);
  const wide = z(tensor("int16", [], Int16Array.of(5)));
  equal(wide.tensors.get("c")!.zero, 0);
  equal(wide.tensors.get("c")!.threshold, 32773 / 8);
  ok(/c is int16 with zero point 5/.test(wide.notes.join()));
});

Deno.test("computed scales of a QLinear operator are refused with the node's name", () => {
  const g = qdq();
  const bad = node("QLinearSigmoid", "s", ["xq", "xs", "z", "x", "z"], ["t"]);
  const graph = { ...g, nodes: [...g.nodes, { ...bad, domain: "com.microsoft" }] };
  throws(() => loadScales(graph), /not one constant/);
});

const folder = new URL("../../../shared/data/models/quantized/micro-kws/", import.meta.url);
for (const form of ["qdq", "qoperator"]) {
  let bytes: Uint8Array | undefined;
  try {
    bytes = Deno.readFileSync(new URL(`micro_kws_${form}.onnx`, folder));
  } catch {
    console.log(`skipped: micro_kws_${form}.onnx is absent`);
  }
  Deno.test(
    { name: `micro-kws ${form} agrees with stock onnxruntime`, ignore: !bytes },
    async () => {
      const given = loadOnnx(bytes!);
      const inputs = given.inputs.map((p) => ({ ...p, shape: p.shape.map((d) => d < 0 ? 1 : d) }));
      const outputs = given.outputs.map((p) => ({
        ...p,
        shape: p.shape.map((d) => d < 0 ? 1 : d),
      }));
      const g = inferTypes({ ...given, inputs, outputs, types: new Map() });
      const [input, output] = [inputs[0]!, outputs[0]!.name];
      let far = 0, same = 0;
      const samples = 8;
      for (let seed = 1; seed <= samples; seed++) {
        const feeds = new Map([[input.name, random(input.shape, 5, seed)]]);
        const want = (await run(g, feeds)).get(output)!;
        const { out } = await simulated(g, feeds);
        const got = out.get(output)!;
        far = Math.max(far, distance(want, got));
        const top = (t: Tensor) => {
          const v = Array.from(numbersOf(t));
          return v.indexOf(Math.max(...v));
        };
        if (top(want) === top(got)) same++;
      }
      console.log(`${form}: largest difference ${far}, same class ${same} of ${samples}`);
      equal(same, samples);
      ok(far <= 1 / 255, `${far} is more than one step of the output`);
    },
  );
}
