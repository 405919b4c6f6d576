import { deepEqual, equal, ok } from "node:assert/strict";
import { compare } from "../calibrate/metrics.ts";
import { readBin } from "../container/bin.ts";
import { completeConfig, parseConfig } from "../formats/config/mod.ts";
import type { CompleteConfig, Layout, RuntimeType, TrainType } from "../formats/config/mod.ts";
import { fromRuntimeInput, randomCalibration, toModelInput } from "../formats/data/mod.ts";
import type { CalibrationSet } from "../formats/data/mod.ts";
import { loadOnnx } from "../formats/onnx/load.ts";
import { attr, node, OPSET } from "../ir/graph.ts";
import type { Graph } from "../ir/graph.ts";
import { f32 } from "../ir/tensor.ts";
import type { Tensor } from "../ir/tensor.ts";
import { functionsOf } from "../ops/functions.ts";
import { createFloatEngine } from "../run/float.ts";
import { openProgram } from "../run/simulator.ts";
import { quantizedFeeds } from "./feeds.ts";
import { runtimeFeeds } from "./layouts.ts";
import { makertbin } from "./makertbin.ts";

const H = 8, W = 10;

/** One convolution on an image of `c` channels in a layout. */
function imageGraph(c: number, layout: Layout): Graph {
  const nhwc = layout === "NHWC";
  const shape = nhwc ? [1, H, W, c] : [1, c, H, W];
  const w = Array.from({ length: 4 * c * 9 }, (_, i) => Math.sin(3.7 * i + 1));
  return {
    name: "g",
    opset: OPSET,
    domains: new Map(),
    nodes: [
      ...nhwc ? [node("Transpose", "in", ["x"], ["t"], { perm: attr.ints([0, 3, 1, 2]) })] : [],
      node("Conv", "conv", [nhwc ? "t" : "x", "w"], ["y"], { kernel_shape: attr.ints([3, 3]) }),
    ],
    inputs: [{ name: "x", dtype: "float32", shape }],
    outputs: [{ name: "y", dtype: "float32", shape: [1, 4, H - 2, W - 2] }],
    constants: new Map([["w", f32([4, c, 3, 3], w)]]),
    types: new Map(),
    metadata: new Map(),
  };
}

function yaml(train: TrainType, rt: RuntimeType, lt: Layout, lr: Layout, more: string): string {
  return `model_parameters:
  onnx_model: m.onnx
  march: bayes
input_parameters:
  input_name: x
  input_type_train: ${train}
  input_type_rt: ${rt}
  input_layout_train: ${lt}
  input_layout_rt: ${lr}
${more}calibration_parameters:
  cal_data_dir: cal
  calibration_type: max
compiler_parameters: {}
`;
}

/** A smooth picture whose colours change every second pixel, so that nv12 loses nothing. */
function picture(c: number, layout: Layout, seed: number): Tensor {
  const data = new Float32Array(H * W * c);
  for (let k = 0; k < c; k++) {
    for (let h = 0; h < H; h++) {
      for (let w = 0; w < W; w++) {
        const v = 128 + 90 * Math.sin(seed + k * 2 + (h >> 1) * 0.9 + (w >> 1) * 0.5);
        data[layout === "NCHW" ? (k * H + h) * W + w : (h * W + w) * c + k] = Math.round(v);
      }
    }
  }
  return f32(layout === "NCHW" ? [1, c, H, W] : [1, H, W, c], data);
}

const engine = () => createFloatEngine({ workers: 0, functions: functionsOf });

function configOf(text: string, graph: Graph): CompleteConfig {
  const { config } = parseConfig(text, { file: "c.yaml", modelType: "onnx" });
  return completeConfig(config, graph.inputs).config;
}

/** Runtime bytes of a picture, written without the product's code paths for layouts. */
function runtimeBytes(model: Tensor, c: number, train: Layout, rt: RuntimeType, layout: Layout) {
  const at = (k: number, h: number, w: number) =>
    (model.data[train === "NCHW" ? (k * H + h) * W + w : (h * W + w) * c + k] as number) + 128;
  if (rt === "nv12") {
    const out = new Uint8Array(H * W * 3 / 2);
    for (let h = 0; h < H; h++) {
      for (let w = 0; w < W; w++) {
        out[h * W + w] = at(0, h, w);
        out[H * W + (h >> 1) * W + (w & ~1)] = at(1, h, w);
        out[H * W + (h >> 1) * W + (w | 1)] = at(2, h, w);
      }
    }
    return out;
  }
  const out = new Uint8Array(H * W * c);
  for (let k = 0; k < c; k++) {
    for (let h = 0; h < H; h++) {
      for (let w = 0; w < W; w++) {
        out[layout === "NCHW" ? (k * H + h) * W + w : (h * W + w) * c + k] = at(k, h, w);
      }
    }
  }
  return out;
}

const pairs: [TrainType, RuntimeType[]][] = [
  ["yuv444", ["nv12", "yuv444"]],
  ["rgb", ["nv12", "yuv444", "rgb", "bgr"]],
  ["bgr", ["nv12", "yuv444", "rgb", "bgr"]],
  ["gray", ["gray"]],
];
const layouts: Layout[] = ["NCHW", "NHWC"];
const mean = [100, 110, 120], scale = [0.01, 0.02, 0.015];

Deno.test("every pair of types and layouts: the .bin on runtime data is the float model on training data", async () => {
  const e = engine();
  try {
    for (const [train, rts] of pairs) {
      for (const rt of rts) {
        for (const lt of layouts) {
          for (const lr of layouts) {
            const what = `${train} ${lt} from ${rt} ${lr}`;
            const c = train === "gray" ? 1 : 3;
            const graph = imageGraph(c, lt);
            const norm = `  norm_type: data_mean_and_scale
  mean_value: ${mean.slice(0, c).join(" ")}
  scale_value: ${scale.slice(0, c).join(" ")}
`;
            const video = rt === "nv12" && train === "rgb" && lr === "NHWC";
            const range = video ? "  input_space_and_range: bt601_video\n" : "";
            const config = configOf(yaml(train, rt, lt, lr, norm + range), graph);
            const input = config.inputs[0]!;
            const raw = [1, 2, 3].map((seed) => picture(c, lt, seed));
            const samples: CalibrationSet = {
              count: raw.length,
              files: () => new Map(),
              raw: (i) => Promise.resolve(new Map([["x", raw[i]!]])),
              sample: (i) => Promise.resolve(new Map([["x", toModelInput(raw[i]!, input)]])),
            };
            const made = await makertbin(config, graph, { engine: e, samples });
            equal(made.proof.exact.differing, 0, what);

            const { program } = await readBin(made.files.get("model.bin")!, "model.bin");
            const layout = rt === "nv12" ? "NHWC" : lr;
            deepEqual(program.inputs[0], {
              name: "x",
              dtype: "int8",
              shape: layout === "NCHW" ? [1, c, H, W] : [1, H, W, c],
            }, what);
            const quantized = loadOnnx(made.files.get("model_quantized_model.onnx")!, {});
            equal(
              quantized.metadata.get("bpukit_input_type:x"),
              rt === "nv12" ? "YUV444_128" : `${rt.toUpperCase()}_128`,
            );
            deepEqual(quantized.inputs[0]!.shape, program.inputs[0]!.shape, what);
            const names = made.conversion.quantized.graph.nodes.map((n) => n.name);
            ok(names.includes("HZ_PREPROCESS_FOR_x"), what);

            const bytes = runtimeBytes(toModelInput(raw[0]!, input), c, lt, rt, layout);
            const live = new Map([["x", fromRuntimeInput(bytes, input)]]);
            const simulator = await openProgram(program, { cpu: e });
            const got = await simulator.run(
              quantizedFeeds(runtimeFeeds(live, config.inputs), new Set(["x"])),
            );
            await simulator.close();
            const trained = Float32Array.from(raw[0]!.data as Float32Array, (v, i) => {
              const k = lt === "NCHW" ? Math.floor(i / (H * W)) : i % c;
              return (v - mean[k]!) * scale[k]!;
            });
            const float = await e.open(graph);
            const want = await float.run(new Map([["x", f32(raw[0]!.shape, trained)]]));
            await float.close();
            const { cosine } = compare(
              want.get("y")!.data as Float32Array,
              got.get("y")!.data as Float32Array,
            );
            ok(cosine > 0.999, `${what}: cosine ${cosine}`);
          }
        }
      }
    }
  } finally {
    await e.close();
  }
});

Deno.test("a picture and a feature map in one model, in the order of the yaml, with a batch", async () => {
  const e = engine();
  try {
    const one = imageGraph(3, "NCHW");
    const graph: Graph = {
      ...one,
      nodes: [
        ...one.nodes,
        node("Conv", "conv2", ["f", "w2"], ["z"], { kernel_shape: attr.ints([1, 1]) }),
      ],
      inputs: [one.inputs[0]!, { name: "f", dtype: "float32", shape: [1, 2, 4, 4] }],
      outputs: [...one.outputs, { name: "z", dtype: "float32", shape: [1, 3, 4, 4] }],
      constants: new Map([...one.constants, ["w2", f32([3, 2, 1, 1], [1, -1, 0.5, 2, -3, 0.25])]]),
    };
    const config = configOf(
      `model_parameters:
  onnx_model: m.onnx
  march: bayes
input_parameters:
  input_name: "f; x"
  input_type_train: featuremap; bgr
  input_type_rt: featuremap; nv12
  input_layout_train: NCHW; NCHW
  input_layout_rt: NHWC; NCHW
  norm_type: no_preprocess; data_scale
  scale_value: None; 0.01
  input_batch: 2
calibration_parameters:
  calibration_type: skip
compiler_parameters:
  optimize_level: O3
`,
      graph,
    );
    const made = await makertbin(config, graph, {
      engine: e,
      samples: randomCalibration(config.inputs, 3),
    });
    equal(made.proof.exact.differing, 0);
    const { program } = await readBin(made.files.get("model.bin")!, "model.bin");
    equal(program.batch, 2);
    deepEqual(program.inputs.map((p) => [p.name, p.dtype, p.shape]), [
      ["x", "int8", [1, H, W, 3]],
      ["f", "float32", [1, 4, 4, 2]],
    ]);
    deepEqual(
      made.finished.bin.info["inputs"],
      [
        { name: "x", dtype: "int8", shape: [2, H, W, 3], type: "image" },
        { name: "f", dtype: "float32", shape: [2, 4, 4, 2], type: "featuremap" },
      ],
    );
    for (const o of made.proof.outputs) ok(o.cosine > 0.999, `${o.name}: ${o.cosine}`);
  } finally {
    await e.close();
  }
});
