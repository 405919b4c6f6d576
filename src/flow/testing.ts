/**
 * Small converted models for tests of the model tools.
 *
 * @module
 */

import { completeConfig, parseConfig } from "../formats/config/mod.ts";
import { randomCalibration } from "../formats/data/mod.ts";
import { attr, node, OPSET } from "../ir/graph.ts";
import type { Graph, Node, Port } from "../ir/graph.ts";
import { f32, i64 } from "../ir/tensor.ts";
import type { Tensor, TensorType } from "../ir/tensor.ts";
import { functionsOf } from "../ops/functions.ts";
import { createFloatEngine } from "../run/float.ts";
import { makertbin } from "./makertbin.ts";

/** What {@linkcode makeModel} makes. */
export interface SmallModel {
  /** `output_model_file_prefix`. */
  readonly prefix?: string;
  /** `input_type_rt`; training is rgb for pictures. Default: featuremap. */
  readonly typeRt?: "featuremap" | "nv12" | "rgb";
  /** Transpose in front (a feature map in NHWC). */
  readonly transposed?: boolean;
  /** Two convolutions that read the input. */
  readonly branches?: boolean;
  /** `layer_out_dump`. */
  readonly layers?: boolean;
  /** Reshape and Softmax behind the last convolution. */
  readonly softmax?: boolean;
}

const weights = (shape: number[], seed: number) => {
  const n = shape.reduce((a, b) => a * b, 1);
  return f32(shape, Array.from({ length: n }, (_, i) => Math.sin(i * 12.9898 + seed) * 0.5));
};

/** A float graph: 3 channels of 8x8, convolutions, outputs `y` (and `z` with branches). */
export function smallGraph(m: SmallModel): Graph {
  const constants = new Map<string, Tensor>([
    ["w1", weights([4, 3, 3, 3], 1)],
    ["w2", weights([5, 4, 1, 1], 2)],
    ["w3", weights([2, 3, 1, 1], 3)],
    ["flat", i64([1, 320])],
  ]);
  const types = new Map<string, TensorType>();
  const nodes: Node[] = [];
  const make = (n: Node, shape: number[]) => {
    nodes.push(n);
    types.set(n.outputs[0]!, { dtype: "float32", shape });
    return n.outputs[0]!;
  };
  let x = "data";
  const input: Port = {
    name: x,
    dtype: "float32",
    shape: m.transposed === true ? [1, 8, 8, 3] : [1, 3, 8, 8],
  };
  if (m.transposed === true) {
    x = make(node("Transpose", "to_nchw", [x], ["x"], { perm: attr.ints([0, 3, 1, 2]) }), [
      ...[1, 3, 8, 8],
    ]);
  }
  const pads = { pads: attr.ints([1, 1, 1, 1]), kernel_shape: attr.ints([3, 3]) };
  const one = { kernel_shape: attr.ints([1, 1]) };
  const c = make(node("Conv", "conv1", [x, "w1"], ["c"], pads), [1, 4, 8, 8]);
  const r = make(node("Relu", "relu1", [c], ["r"]), [1, 4, 8, 8]);
  const softmax = m.softmax === true;
  const last = make(node("Conv", "conv2", [r, "w2"], [softmax ? "s" : "y"], one), [1, 5, 8, 8]);
  const outputs: Port[] = [];
  if (softmax) {
    const flat = make(node("Reshape", "flatten", [last, "flat"], ["t"]), [1, 320]);
    make(node("Softmax", "prob", [flat], ["y"], { axis: attr.int(1) }), [1, 320]);
    outputs.push({ name: "y", dtype: "float32", shape: [1, 320] });
  } else outputs.push({ name: "y", dtype: "float32", shape: [1, 5, 8, 8] });
  if (m.branches === true) {
    make(node("Conv", "conv3", [x, "w3"], ["z"], one), [1, 2, 8, 8]);
    outputs.push({ name: "z", dtype: "float32", shape: [1, 2, 8, 8] });
  }
  return {
    name: "main_graph",
    opset: OPSET,
    domains: new Map(),
    nodes,
    inputs: [input],
    outputs,
    constants,
    types,
    metadata: new Map(),
  };
}

/** The yaml of a small model. */
export function smallConfig(m: SmallModel): string {
  const rt = m.typeRt ?? "featuremap";
  const picture = rt !== "featuremap";
  return `model_parameters:
  onnx_model: 'small.onnx'
  march: 'bayes'
  working_dir: 'out'
  output_model_file_prefix: '${m.prefix ?? "small"}'
  layer_out_dump: ${m.layers === true ? "True" : "False"}
input_parameters:
  input_name: 'data'
  input_shape: '${m.transposed === true ? "1x8x8x3" : "1x3x8x8"}'
  input_type_rt: '${rt}'
  input_type_train: '${picture ? "rgb" : "featuremap"}'
  input_layout_train: '${m.transposed === true ? "NHWC" : "NCHW"}'
  norm_type: '${picture ? "data_mean_and_scale" : "no_preprocess"}'
${
    picture
      ? "  mean_value: 123.68 116.779 103.939\n  scale_value: 0.017\n"
      : ""
  }calibration_parameters:
  calibration_type: 'skip'
compiler_parameters:
  compile_mode: 'latency'
  optimize_level: 'O3'
`;
}

/** Converts a small model; the files of `makertbin` by name. */
export async function makeModel(m: SmallModel = {}): Promise<ReadonlyMap<string, Uint8Array>> {
  const graph = smallGraph(m);
  const { config } = parseConfig(smallConfig(m), { file: "small.yaml", modelType: "onnx" });
  const done = completeConfig(config, graph.inputs).config;
  const engine = createFloatEngine({ workers: 0, functions: functionsOf });
  try {
    const made = await makertbin(done, graph, { engine, samples: randomCalibration(done.inputs) });
    return made.files;
  } finally {
    await engine.close();
  }
}
