/**
 * MobileNetV2 (224 x 224, random weights) as a real graph: the compiled program in the simulator against
 * onnxruntime-web on the float model and on its QLinear forms, residual additions included on all sides.
 *
 * @module
 */

import { loadOnnxRuntime } from "../src/deps.ts";
import { convert } from "../src/flow/convert.ts";
import { saveOnnx } from "../src/formats/onnx/save.ts";
import type { Graph, Node } from "../src/ir/graph.ts";
import { attr, node } from "../src/ir/graph.ts";
import type { Tensor } from "../src/ir/tensor.ts";
import { elementCount, f32, tensor } from "../src/ir/tensor.ts";
import { bayes } from "../src/march/bayes.ts";
import { functionsOf } from "../src/ops/functions.ts";
import { createFloatEngine } from "../src/run/float.ts";
import { openProgram } from "../src/run/simulator.ts";
import { type Contender, interleave, type Results } from "./measure.ts";

type Kind = "f32" | "u8" | "s8";

/** Expansion, channels, repeats, stride of each stage. */
// deno-fmt-ignore
const stages = [[1, 16, 1, 1], [6, 24, 2, 2], [6, 32, 3, 2], [6, 64, 4, 2], [6, 96, 3, 1], [6, 160, 3, 2], [6, 320, 1, 1]] as const;

/** The network up to its last feature map; QLinear forms have one scale for all activations. */
function network(kind: Kind): Graph {
  const nodes: Node[] = [];
  const constants = new Map<string, Tensor>();
  const type = kind === "f32" ? "float32" : kind === "u8" ? "uint8" : "int8";
  if (kind !== "f32") {
    constants.set("s", f32([], [6 / 127]));
    constants.set(
      "z",
      kind === "u8" ? tensor("uint8", [], Uint8Array.of(0)) : tensor("int8", [], Int8Array.of(0)),
    );
  }
  let channels = 3, last = "x";
  const conv = (out: number, k: number, stride: number, group: number, relu: boolean) => {
    const name = `conv${nodes.length}`, shape = [out, channels / group, k, k];
    const n = elementCount(shape);
    const w = Float32Array.from(
      { length: n },
      (_, i) => Math.sin(i * 12.9898 + n) / Math.sqrt(n / out),
    );
    const attrs = {
      strides: attr.ints([stride, stride]),
      pads: attr.ints(k === 3 ? [1, 1, 1, 1] : [0, 0, 0, 0]),
      group: attr.int(group),
      kernel_shape: attr.ints([k, k]),
    };
    if (kind === "f32") {
      constants.set(`${name}_w`, tensor("float32", shape, w));
      constants.set(`${name}_b`, f32([out], new Array(out).fill(0.1)));
      nodes.push(node("Conv", name, [last, `${name}_w`, `${name}_b`], [`${name}_y`], attrs));
      last = `${name}_y`;
      if (relu) {
        constants.set("lo", f32([], [0]));
        constants.set("hi", f32([], [6]));
        nodes.push(node("Clip", `${name}_relu6`, [last, "lo", "hi"], [`${name}_r`]));
        last = `${name}_r`;
      }
    } else {
      const peak = w.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
      constants.set(
        `${name}_w`,
        tensor("int8", shape, Int8Array.from(w, (v) => Math.round(v / peak * 127))),
      );
      constants.set(`${name}_ws`, f32([out], new Array(out).fill(peak / 127)));
      constants.set(`${name}_wz`, tensor("int8", [out], new Int8Array(out)));
      constants.set(`${name}_b`, tensor("int32", [out], new Int32Array(out)));
      const inputs = [
        last,
        "s",
        "z",
        `${name}_w`,
        `${name}_ws`,
        `${name}_wz`,
        "s",
        "z",
        `${name}_b`,
      ];
      nodes.push(node("QLinearConv", name, inputs, [`${name}_y`], attrs));
      last = `${name}_y`;
    }
    channels = out;
  };
  conv(32, 3, 2, 1, true);
  for (const [t, c, repeats, stride] of stages) {
    for (let i = 0; i < repeats; i++) {
      const from = last, before = channels, wide = channels * t;
      if (t > 1) conv(wide, 1, 1, 1, true);
      conv(wide, 3, i === 0 ? stride : 1, wide, true);
      conv(c, 1, 1, 1, false);
      if (i === 0 || before !== c) continue;
      const name = `add${nodes.length}`;
      nodes.push(
        kind === "f32" ? node("Add", name, [from, last], [name]) : node(
          "QLinearAdd",
          name,
          [from, "s", "z", last, "s", "z", "s", "z"],
          [name],
          {},
          "com.microsoft",
        ),
      );
      last = name;
    }
  }
  conv(1280, 1, 1, 1, true);
  return {
    name: "mobilenetv2",
    opset: 17,
    domains: new Map([["com.microsoft", 1]]),
    nodes,
    inputs: [{ name: "x", dtype: type, shape: [1, 3, 224, 224] }],
    outputs: [{ name: last, dtype: type, shape: [1, 1280, 7, 7] }],
    constants,
    types: new Map(),
    metadata: new Map(),
  };
}

async function competitor(kind: Kind): Promise<Contender & { close(): Promise<void> }> {
  const ort = await loadOnnxRuntime();
  ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create(saveOnnx(network(kind)), {
    graphOptimizationLevel: "all",
    logSeverityLevel: 3,
  });
  const n = 3 * 224 * 224, dims = [1, 3, 224, 224];
  const wave = (i: number) => Math.sin(i * 0.37);
  const x = kind === "f32"
    ? new ort.Tensor("float32", Float32Array.from({ length: n }, (_, i) => wave(i)), dims)
    : kind === "u8"
    ? new ort.Tensor("uint8", Uint8Array.from({ length: n }, (_, i) => 128 + 100 * wave(i)), dims)
    : new ort.Tensor("int8", Int8Array.from({ length: n }, (_, i) => 100 * wave(i)), dims);
  return {
    name: `ort-web ${kind}`,
    run: () => session.run({ x }),
    close: () => session.release(),
  };
}

/** The rows `mobilenetv2` (one thread everywhere) and `mobilenetv2Threads`: milliseconds and ratios. */
export async function benchMobilenetV2(results: Results): Promise<void> {
  // onnxruntime-web is one library for all sessions: the engine starts it, the competitors share it.
  const engine = createFloatEngine({ workers: 0, functions: functionsOf });
  const { program } = await convert(network("f32"), {
    march: bayes,
    place: { quantizeTail: true },
    calibrator: {
      candidates: ["max"],
      observe: () => Promise.resolve(),
      threshold: (_method, _tensor, dtype) => ({ dtype, threshold: 6, zero: 0, method: "max" }),
    },
  });
  const simulator = await openProgram(program, { cpu: engine, threads: 1 });
  const data = Float32Array.from({ length: 3 * 224 * 224 }, (_, i) => Math.sin(i * 0.37));
  const feeds = new Map([["x", tensor("float32", [1, 3, 224, 224], data)]]);
  const others = [await competitor("u8"), await competitor("s8"), await competitor("f32")];
  const times = await interleave([{ name: "ours", run: () => simulator.run(feeds) }, ...others], {
    budgetMs: 12000,
    least: 7,
  });
  const mine = times.get("ours")!;
  results.add({
    kernel: "mobilenetv2",
    shape: "graph 224x224",
    value: mine,
    unit: "ms",
    ratios: Object.fromEntries(others.map((o) => [o.name, times.get(o.name)! / mine])),
  });
  for (const o of others) await o.close();
  // The quickest rounds: another process on one of the cores would hide the second thread.
  const pair = await openProgram(program, { cpu: engine, threads: 2 });
  for (let i = 0; i < 20; i++) await pair.run(feeds);
  const threads = await interleave([
    { name: "one", run: () => simulator.run(feeds) },
    { name: "two", run: () => pair.run(feeds) },
  ], { budgetMs: 6000, least: 15, best: true });
  results.add({
    kernel: "mobilenetv2Threads",
    shape: "graph 224x224, two threads",
    value: threads.get("two")!,
    unit: "ms",
    ratios: { "one thread": threads.get("one")! / threads.get("two")! },
  });
  await pair.close();
  await simulator.close();
  await engine.close();
}
