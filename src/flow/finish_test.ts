import { deepEqual, equal, match, ok } from "node:assert/strict";
import { readBin } from "../container/bin.ts";
import { recordsOf, scaleInfo } from "../container/deleted.ts";
import { completeConfig, parseConfig } from "../formats/config/mod.ts";
import { randomCalibration } from "../formats/data/mod.ts";
import type { Feeds } from "../ir/engine.ts";
import { attr, node } from "../ir/graph.ts";
import type { Graph } from "../ir/graph.ts";
import { i64, tensor } from "../ir/tensor.ts";
import type { Tensor } from "../ir/tensor.ts";
import { functionsOf } from "../ops/functions.ts";
import { createFloatEngine } from "../run/float.ts";
import { openProgram } from "../run/simulator.ts";
import { functionCalls } from "../container/performance.ts";
import { adviceLines } from "./finish.ts";
import { makertbin } from "./makertbin.ts";
import type { Made } from "./makertbin.ts";
import { differingValues } from "./prove.ts";
import { smallConfig, smallGraph } from "./testing.ts";
import type { SmallModel } from "./testing.ts";

interface Change {
  readonly model?: string;
  readonly inputs?: string;
  readonly compiler?: string;
  readonly cache?: string;
  readonly graph?: (g: Graph) => Graph;
}

interface Ran extends Made {
  readonly lines: readonly string[];
  readonly warnings: readonly string[];
}

/** Converts a small model whose yaml has more lines in some groups. */
async function make(m: SmallModel, c: Change = {}): Promise<Ran> {
  const small = smallGraph(m);
  const graph = c.graph?.(small) ?? small;
  const yaml = smallConfig(m)
    .replace("input_parameters:\n", `${c.model ?? ""}input_parameters:\n`)
    .replace("calibration_parameters:\n", `${c.inputs ?? ""}calibration_parameters:\n`) +
    (c.compiler ?? "");
  const { config } = parseConfig(yaml, { file: "c.yaml", modelType: "onnx" });
  const done = completeConfig(config, graph.inputs).config;
  const engine = createFloatEngine({ workers: 0, functions: functionsOf });
  const lines: string[] = [], warnings: string[] = [];
  try {
    const made = await makertbin(done, graph, {
      engine,
      samples: randomCalibration(done.inputs),
      log: (l) => lines.push(l),
      warn: (l) => warnings.push(l),
      ...(c.cache === undefined ? {} : { cache: c.cache }),
    });
    return { ...made, lines, warnings };
  } finally {
    await engine.close();
  }
}

async function run(bytes: Uint8Array, feeds: Feeds): Promise<Map<string, Tensor>> {
  const { program } = await readBin(bytes, "small.bin");
  const engine = createFloatEngine({ workers: 0, functions: functionsOf });
  const session = await openProgram(program, { cpu: engine });
  try {
    return await session.run(feeds);
  } finally {
    await session.close();
    await engine.close();
  }
}

const bin = (m: Made) => m.files.get("small.bin")!;
const deleted = (m: Made) => recordsOf(m.finished.bin.info).map((d) => d.node.name);

Deno.test("remove_node_type: in order, at the edges only, after what stood before them", async () => {
  const softmax = { softmax: true, transposed: true };
  // A Reshape behind the Softmax is no edge until the Softmax is gone.
  const early = await make(softmax, { model: "  remove_node_type: 'Reshape; Softmax'\n" });
  deepEqual(deleted(early), ["prob"]);
  match(early.warnings.join("\n"), /remove_node_type Reshape: no node of this type/);
  const late = await make(softmax, { model: "  remove_node_type: 'Softmax; Reshape'\n" });
  deepEqual(deleted(late), ["prob", "flatten"]);
  equal(late.warnings.length, 0);
  const { program } = await readBin(bin(late), "small.bin");
  deepEqual(program.outputs, [{ name: "y", dtype: "float32", shape: [1, 5, 8, 8] }]);
});

Deno.test("remove_node_type: scales of removed Quantize and Dequantize are kept, the numbers agree", async () => {
  const plain = await make({});
  const cut = await make({}, { model: "  remove_node_type: 'Quantize; Dequantize'\n" });
  const [quantize, dequantize] = recordsOf(cut.finished.bin.info);
  const { program } = await readBin(bin(cut), "small.bin");
  deepEqual([program.inputs[0]!.dtype, program.outputs[0]!.dtype], ["int8", "int32"]);
  const x = tensor(
    "float32",
    [1, 3, 8, 8],
    Float32Array.from({ length: 192 }, (_, i) => Math.sin(i)),
  );
  const want = (await run(bin(plain), new Map([["data", x]]))).get("y")!;
  const { scale } = scaleInfo(quantize!)!;
  const q = Int8Array.from(
    x.data as Float32Array,
    (v) => Math.max(-128, Math.min(127, Math.round(v / scale[0]!))),
  );
  const got = (await run(bin(cut), new Map([["data", tensor("int8", x.shape, q)]]))).get("y")!;
  const s = scaleInfo(dequantize!)!.scale;
  const real = Float32Array.from(
    got.data as Int32Array,
    (v, i) => Math.fround(v) * s[s.length === 1 ? 0 : Math.floor(i / 64)]!,
  );
  equal(differingValues(tensor("float32", want.shape, real), want), 0);
  match(cut.lines.join("\n"), /Quantize\) removed at input data, scale 0\.\d+, zero point 0/);
});

Deno.test("remove_node_name: an inner node is left in place and said", async () => {
  const names = (m: Made) => m.conversion.quantized.graph.nodes.map((n) => n.name);
  const inner = names(await make({})).find((n) => n === "conv1")!;
  const made = await make({}, { model: `  remove_node_name: '${inner}'\n` });
  deepEqual(deleted(made), []);
  match(made.warnings.join("\n"), /remove_node_name conv1: not removed/);
});

Deno.test("output_nodes: the named nodes are the outputs, nothing behind them is left", async () => {
  const made = await make({ softmax: true }, { model: "  output_nodes: 'relu1; conv2'\n" });
  deepEqual(made.finished.bin.program.outputs.map((p) => p.name), ["r", "s"]);
  deepEqual(made.conversion.original.nodes.map((n) => n.name), ["conv1", "relu1", "conv2"]);
  equal(made.proof.exact.differing, 0);
  await make({}, { model: "  output_nodes: 'relu'\n" }).then(
    () => ok(false, "an unknown node was accepted"),
    (e) => match(e.sentence(), /output_nodes names 'relu'.*Did you mean relu1/),
  );
});

Deno.test("input_batch: the .bin takes a batch, its samples are computed as single ones; ONNX keeps 1", async () => {
  const one = await make({ typeRt: "rgb" });
  const four = await make({ typeRt: "rgb" }, { inputs: "  input_batch: 4\n" });
  for (const stage of ["original_float_model", "quantized_model"]) {
    deepEqual(four.files.get(`small_${stage}.onnx`), one.files.get(`small_${stage}.onnx`));
  }
  const info = four.finished.bin.info;
  deepEqual((info["inputs"] as { shape: number[] }[])[0]!.shape, [4, 3, 8, 8]);
  deepEqual((info["outputs"] as { shape: number[] }[])[0]!.shape, [4, 5, 8, 8]);
  const data = Int8Array.from({ length: 4 * 192 }, (_, i) => (i * 37) % 255 - 127);
  const all = await run(bin(four), new Map([["data", tensor("int8", [4, 3, 8, 8], data)]]));
  deepEqual(all.get("y")!.shape, [4, 5, 8, 8]);
  const parts: number[] = [];
  for (let i = 0; i < 4; i++) {
    const x = tensor("int8", [1, 3, 8, 8], data.slice(i * 192, (i + 1) * 192));
    parts.push(...(await run(bin(one), new Map([["data", x]]))).get("y")!.data as Float32Array);
  }
  deepEqual([...all.get("y")!.data as Float32Array], parts);
  const estimate = (m: Made) => m.finished.estimate;
  equal(estimate(four).latencyUs, 4 * estimate(one).latencyUs);
  equal(estimate(four).fps, estimate(one).fps);
});

Deno.test("cache.json: the same bytes with it, without it, and with a damaged one", async () => {
  const first = await make({ branches: true });
  const text = new TextDecoder().decode(first.files.get("cache.json"));
  const again = await make({ branches: true }, { cache: text });
  deepEqual(bin(again), bin(first));
  equal(again.files.get("cache.json"), undefined);
  ok(again.lines.some((l) => l.includes("taken from cache.json")));
  const entry = JSON.parse(text) as {
    entries: { key: string; schedule: { offsets: number[]; orders: number[][]; bytes: number } }[];
  };
  const broken = (change: (s: typeof entry.entries[0]["schedule"]) => void) => {
    const copy = structuredClone(entry);
    change(copy.entries[0]!.schedule);
    return JSON.stringify(copy);
  };
  const texts = [
    "{",
    "null",
    '{"version":1,"entries":[7]}',
    broken((s) => s.offsets.fill(0)),
    broken((s) => s.offsets[0] = 13),
    broken((s) => s.orders[0]!.reverse()),
    broken((s) => s.orders[0]!.fill(0)),
    broken((s) => s.bytes = 1),
    broken((s) => s.orders.pop()),
  ];
  for (const cache of texts) {
    const made = await make({ branches: true }, { cache });
    deepEqual(bin(made), bin(first), cache);
    match(made.warnings.join("\n"), /cache.json (is damaged|has a damaged entry)/, cache);
    deepEqual(made.files.get("cache.json"), first.files.get("cache.json"));
  }
  // Another model does not find it, and both are kept.
  const other = await make({}, { cache: text });
  equal(JSON.parse(new TextDecoder().decode(other.files.get("cache.json"))).entries.length, 2);
  // Lower levels search little and keep nothing.
  const low = await make({}, { compiler: "  optimize_level: 'O2'\n", cache: "{" });
  equal(low.files.get("cache.json"), undefined);
  deepEqual(low.warnings, []);
});

Deno.test("layouts: a feature map comes in the runtime's layout and is quantized before it is turned", async () => {
  const made = await make({}, { inputs: "  input_layout_rt: 'NHWC'\n" });
  equal(made.proof.exact.differing, 0);
  const { program } = await readBin(bin(made), "small.bin");
  deepEqual(program.inputs[0]!.shape, [1, 8, 8, 3]);
  ok(program.segments.every((s) => s.kind === "bpu"), "the Transpose runs on the BPU");
  ok(made.rows.some((r) => r.name === "HZ_PREPROCESS_FOR_data_NHWC2NCHW_LayoutConvert_Input0"));
  const plain = await make({});
  const nchw = Float32Array.from({ length: 192 }, (_, i) => Math.cos(i));
  const nhwc = Float32Array.from(nchw, (_, i) => nchw[(i % 3) * 64 + Math.floor(i / 3)]!);
  const a = await run(bin(plain), new Map([["data", tensor("float32", [1, 3, 8, 8], nchw)]]));
  const b = await run(bin(made), new Map([["data", tensor("float32", [1, 8, 8, 3], nhwc)]]));
  deepEqual(b.get("y")!.data, a.get("y")!.data);
  // A model that turns the data itself needs no second Transpose.
  const own = await make({ transposed: true }, { inputs: "  input_layout_rt: 'NCHW'\n" });
  equal(own.proof.exact.differing, 0);
  const types = own.conversion.quantized.graph.nodes.map((n) => n.op);
  ok(types.filter((t) => t === "Transpose").length <= 2, types.join());
});

Deno.test("advice, max_time_per_fc and debug: what the estimate says goes to the log and the file", async () => {
  const made = await make({}, {
    compiler: "  max_time_per_fc: 1000\n  advice: 1\n  debug: False\n",
  });
  match(made.lines.join("\n"), /max_time_per_fc 1000 us: 1 function calls/);
  const performance = (m: Made) => m.finished.bin.info["performance"] as { layers?: unknown[] };
  equal(performance(made).layers, undefined);
  const debug = await make({}, { compiler: "  debug: True\n" });
  equal(performance(debug).layers?.length, 2);
  const n = { name: "n", op: "Conv", subgraph: 0, macs: 0, ddrBytes: 0 };
  const nodes = [
    { ...n, us: 700, idealUs: 100, shape: [1, 3, 8, 8], aligned: [1, 32, 8, 8] },
    { ...n, us: 600, idealUs: 590, shape: [1, 32, 8, 8], aligned: [1, 32, 8, 8] },
    { ...n, subgraph: 1, us: 300, idealUs: 290, shape: [4], aligned: [4] },
  ];
  deepEqual([0, 1000, 2000].map((l) => functionCalls(nodes, l)), [2, 3, 2]);
  deepEqual(adviceLines(nodes, 0), []);
  deepEqual(adviceLines(nodes, 50), [
    "n (Conv): 700.0 us instead of 100.0 us; shape 1x3x8x8 is computed as 1x32x8x8, 966.7 % padding",
  ]);
});

Deno.test("fast-perf removes what stands at the edges, also behind each other", async () => {
  const cast = (g: Graph): Graph => ({
    ...g,
    nodes: [
      ...g.nodes,
      node("Reshape", "tail", ["y", "tailShape"], ["z"]),
      node("Transpose", "turn", ["z"], ["end"], { perm: attr.ints([1, 0]) }),
    ],
    constants: new Map([...g.constants, ["tailShape", i64([5, 64])]]),
    outputs: [{ name: "end", dtype: "float32", shape: [64, 5] }],
  });
  const small = cast(smallGraph({}));
  const { fastPerfConfig } = await import("./fast_perf.ts");
  const config = fastPerfConfig(
    { type: "onnx", model: "dir/net.v1.onnx", prototxt: undefined, march: "bayes" },
    small,
  );
  equal(config.model.outputModelFilePrefix, "net.v1");
  const engine = createFloatEngine({ workers: 0, functions: functionsOf });
  try {
    const made = await makertbin(config, small, {
      engine,
      samples: randomCalibration(config.inputs),
      allOnBpu: true,
    });
    const types = recordsOf(made.finished.bin.info).map((d) => d.type);
    deepEqual([...types].sort(), ["Dequantize", "Quantize", "Reshape", "Transpose"]);
    ok(made.finished.bin.program.segments.every((s) => s.kind === "bpu"));
  } finally {
    await engine.close();
  }
});
