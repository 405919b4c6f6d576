import { deepStrictEqual as equal, ok, throws } from "node:assert/strict";
import { compile } from "../compile/compile.ts";
import { makeModel } from "../flow/testing.ts";
import { attr, node, OPSET } from "../ir/graph.ts";
import type { Graph } from "../ir/graph.ts";
import type { Tensor } from "../ir/tensor.ts";
import { functionsOf } from "../ops/functions.ts";
import { createFloatEngine } from "../run/float.ts";
import { openProgram } from "../run/simulator.ts";
import { readBin, writeBin } from "./bin.ts";
import type { Bin } from "./bin.ts";
import { recordsOf, scaleInfo } from "./deleted.ts";
import { deletableNodes, removeNode, removeType, restoreLast } from "./modify.ts";

async function small(m: Parameters<typeof makeModel>[0] = {}): Promise<[Bin, Uint8Array]> {
  const bytes = (await makeModel(m)).get("small.bin")!;
  return [await readBin(bytes, "small.bin"), bytes];
}

/** Writes, reads and runs a model. */
async function run(bin: Bin, x: Tensor): Promise<Map<string, Tensor>> {
  const again = await readBin(await writeBin(bin, functionsOf), "m.bin");
  const engine = createFloatEngine({ workers: 0, functions: functionsOf });
  const session = await openProgram(again.program, { cpu: engine });
  try {
    return await session.run(new Map([["data", x]]));
  } finally {
    await session.close();
    await engine.close();
  }
}

function sample(shape: number[]): Tensor {
  const n = shape.reduce((a, b) => a * b, 1);
  return { dtype: "float32", shape, data: Float32Array.from({ length: n }, (_, i) => Math.sin(i)) };
}

Deno.test("integers of a model without Dequantize give the original's floats bit for bit", async () => {
  const [bin] = await small();
  equal(deletableNodes(bin), [
    { name: "data_HzQuantize", type: "Quantize", side: "input", port: "data" },
    { name: "y_HzDequantize", type: "Dequantize", side: "output", port: "y" },
  ]);
  const x = sample([1, 3, 8, 8]);
  const want = (await run(bin, x)).get("y")!;
  const { bin: cut, deleted } = removeNode(bin, "y_HzDequantize");
  equal(cut.program.outputs, [{ name: "y", dtype: "int32", shape: [1, 5, 8, 8] }]);
  const got = (await run(cut, x)).get("y")!;
  const { scale, zero } = scaleInfo(deleted)!;
  equal(scale.length, 5);
  const back = Float32Array.from(
    got.data as Int32Array,
    (v, i) => Math.fround(Math.fround(v - zero) * scale[Math.floor(i / 64)]!),
  );
  equal(back, want.data);
});

Deno.test("a model without Quantize takes the int8 that Quantize would make", async () => {
  const [bin] = await small();
  const x = sample([1, 3, 8, 8]);
  const want = await run(bin, x);
  const { bin: cut, deleted } = removeNode(bin, "data_HzQuantize");
  equal(cut.program.inputs, [{ name: "data", dtype: "int8", shape: [1, 3, 8, 8] }]);
  const { scale, zero } = scaleInfo(deleted)!;
  const q = Int8Array.from(x.data as Float32Array, (v) => {
    const r = v / scale[0]!;
    return Math.max(-128, Math.min(127, Math.sign(r) * Math.floor(Math.abs(r) + 0.5) + zero));
  });
  equal(await run(cut, { dtype: "int8", shape: x.shape, data: q }), want);
});

Deno.test("several nodes in order; restoring them gives the file again", async () => {
  const [bin, bytes] = await small({ transposed: true, softmax: true, layers: true });
  const names = ["prob", "flatten", "s_HzDequantize", "data_HzQuantize", "to_nchw"];
  throws(() => removeNode(bin, "flatten"), /only a node next to an input or output/);
  let at = bin;
  for (const n of names) at = removeNode(at, n).bin;
  equal(at.program.inputs, [{ name: "data", dtype: "int8", shape: [1, 3, 8, 8] }]);
  equal(at.program.outputs, [{ name: "y", dtype: "int32", shape: [1, 5, 8, 8] }]);
  equal(recordsOf(at.info).map((d) => d.node.name), names);
  equal(at.program.segments.length, 1);
  ok(!JSON.stringify(at.info["nodes"]).includes('"prob"'));
  at = await readBin(await writeBin(at, functionsOf), "m.bin");
  for (const n of [...names].reverse()) {
    const step = restoreLast(at);
    equal(step.restored.node.name, n);
    at = step.bin;
  }
  equal(await writeBin(at, functionsOf), bytes);
  throws(() => restoreLast(at), /no node was removed/);
});

Deno.test("all nodes of a type go at once", async () => {
  const [bin] = await small({ branches: true });
  const { bin: cut, deleted } = removeType(bin, "Dequantize");
  equal(deleted.map((d) => d.node.name), ["y_HzDequantize", "z_HzDequantize"]);
  equal(cut.program.outputs.map((p) => p.dtype), ["int32", "int32"]);
  equal(removeType(cut, "Dequantize").deleted, []);
  throws(() => removeType(cut, "Conv"), /nodes of type 'Conv' cannot be removed/);
});

Deno.test("unknown nodes, other types and inputs with several readers are refused", async () => {
  const [bin] = await small();
  throws(() => removeNode(bin, "nothing"), /node 'nothing' is not in the model/);
  throws(() => removeNode(bin, "conv1"), /cannot be removed/);
  const shape = [1, 3, 8, 8];
  const graph: Graph = {
    name: "two",
    opset: OPSET,
    domains: new Map(),
    nodes: ["a", "b"].map((t) =>
      node("Transpose", `turn_${t}`, ["data"], [t], { perm: attr.ints([0, 1, 3, 2]) })
    ).concat([node("Relu", "last", ["a"], ["y"])]),
    inputs: [{ name: "data", dtype: "float32", shape }],
    outputs: [{ name: "y", dtype: "float32", shape }, { name: "b", dtype: "float32", shape }],
    constants: new Map(),
    types: new Map(["data", "a", "b", "y"].map((t) => [t, { dtype: "float32", shape }])),
    metadata: new Map(),
  };
  const two: Bin = { program: compile(graph, "bayes"), info: {} };
  equal(deletableNodes(two), []);
  throws(() => removeNode(two, "turn_a"), /input data is read by 2 nodes/);
});

Deno.test("a model always keeps a node", async () => {
  const [bin] = await small({ typeRt: "rgb" });
  const { bin: cut } = removeNode(bin, "y_HzDequantize");
  equal(deletableNodes(cut), []);
});

Deno.test("nodes behind an nv12 input stay: they belong to the picture", async () => {
  const [bin] = await small({ typeRt: "nv12" });
  equal(deletableNodes(bin).map((d) => d.side), ["output"]);
  const first = bin.program.segments.flatMap((s) => s.kind === "bpu" ? s.nodes : [])[0]!;
  throws(() => removeNode(bin, first.name), /input data is nv12/);
});

interface Performance {
  latency_us: number;
  layers: { name: string }[];
}
const performanceIn = (bin: Bin) => bin.info["performance"] as unknown as Performance;

Deno.test("figures of the info section are those of the modified program, and come back", async () => {
  const [bin] = await small({ transposed: true });
  const before = performanceIn(bin);
  const first = removeNode(bin, "data_HzQuantize").bin;
  equal(first.info["performance"], bin.info["performance"], "Quantize is not the BPU's");
  const cut = removeNode(first, "to_nchw").bin;
  equal(performanceIn(cut).layers.map((l) => l.name), ["conv1", "conv2"]);
  ok(performanceIn(cut).latency_us < before.latency_us);
  equal(restoreLast(cut).bin.info["performance"], bin.info["performance"]);
  const { performance: _, ...without } = bin.info;
  const none = removeNode({ ...bin, info: without }, "y_HzDequantize").bin;
  equal(none.info["performance"], undefined, "a model without figures gets none");
});

Deno.test("ports of a batch stay those of the whole batch", async () => {
  const [single] = await small();
  const batch: Bin = { ...single, program: { ...single.program, batch: 3 } };
  const { bin } = removeNode(batch, "y_HzDequantize");
  const port = (side: string) => (bin.info[side] as { shape: number[]; dtype: string }[])[0];
  equal([port("inputs"), port("outputs")].map((p) => [p!.dtype, p!.shape]), [
    ["float32", [3, 3, 8, 8]],
    ["int32", [3, 5, 8, 8]],
  ]);
  equal(bin.program.batch, 3);
  equal(bin.program.outputs[0]!.shape, [1, 5, 8, 8]);
  const back = restoreLast(bin).bin;
  equal((back.info["outputs"] as { shape: number[] }[])[0]!.shape, [3, 5, 8, 8]);
});
