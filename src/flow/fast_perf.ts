/**
 * `makertbin --fast-perf`: the configuration that shows the highest speed, without a yaml.
 *
 * @module
 */

import { BpuError } from "../errors.ts";
import type { CompleteConfig, CompleteInput, NodeInfo } from "../formats/config/mod.ts";
import type { Graph } from "../ir/graph.ts";
import { shapeText } from "../ir/tensor.ts";
import { marchOf } from "../march/mod.ts";
import { opOf } from "../ops/registry.ts";

/** What the command line says. */
export interface FastPerfModel {
  readonly type: "onnx" | "caffe";
  readonly model: string;
  readonly prototxt: string | undefined;
  readonly march: string;
}

/**
 * Shapes for inputs whose first dimension is open: 1. Undefined when there are none.
 *
 * @throws BpuError("shape") when another dimension is open
 */
export function batchOfOne(graph: Graph): Map<string, readonly number[]> | undefined {
  const shapes = new Map<string, readonly number[]>();
  for (const p of graph.inputs) {
    if (p.shape.slice(1).some((d) => d <= 0)) {
      const example = p.shape.map((d, i) => d > 0 ? d : i === 0 ? 1 : 224).join("x");
      throw new BpuError(
        "shape",
        `input ${p.name} has the shape ${shapeText(p.shape)}; only an open first dimension is ` +
          "set to 1 by itself",
        { tensor: p.name, hint: `Add --input-shape ${p.name} ${example}.` },
      );
    }
    if (p.shape[0] !== undefined && p.shape[0] <= 0) shapes.set(p.name, [1, ...p.shape.slice(1)]);
  }
  return shapes.size === 0 ? undefined : shapes;
}

/** Nodes that stay on the CPU unless they are asked for, asked onto the BPU. */
function wishes(graph: Graph, march: CompleteConfig["model"]["march"]): NodeInfo[] {
  const { name } = marchOf(march);
  return graph.nodes.filter((n) => {
    const def = opOf(n);
    if (def?.quant === undefined) return false;
    return def.quant.kind === "manual" || def.place?.[name].on === "CPU";
  }).map((n) => ({ name: n.name, on: "BPU", inputTypes: new Map() }));
}

/** The built-in configuration: feature maps in, random calibration data, O3. */
export function fastPerfConfig(m: FastPerfModel, graph: Graph): CompleteConfig {
  const march = marchOf(m.march).name === "bayes_e" ? "bayes-e" : marchOf(m.march).name;
  const name = march as CompleteConfig["model"]["march"];
  const inputs = graph.inputs.map((p): CompleteInput => ({
    name: p.name,
    shape: p.shape,
    typeTrain: "featuremap",
    typeRt: "featuremap",
    layoutTrain: "NCHW",
    layoutRt: undefined,
    spaceAndRange: "regular",
    norm: { type: "no_preprocess", mean: [], scale: [] },
    calDataDir: undefined,
    calDataType: "float32",
    calDataTypeGiven: false,
    inputSource: "ddr",
    inputSourceGiven: false,
  }));
  const prefix = m.model.replace(/^.*[/\\]/, "").replace(/\.[^.]*$/, "");
  return {
    file: "--fast-perf",
    modelType: m.type,
    model: {
      onnxModel: m.type === "onnx" ? m.model : undefined,
      caffeModel: m.type === "caffe" ? m.model : undefined,
      prototxt: m.prototxt,
      march: name,
      outputModelFilePrefix: prefix === "" ? "model" : prefix,
      workingDir: "model_output",
      layerOutDump: false,
      outputNodes: [],
      removeNodeType: [],
      removeNodeName: [],
      dumpCalibrationData: false,
      nodeInfo: wishes(graph, name),
      logLevel: undefined,
    },
    inputs,
    inputBatch: 1,
    calibration: {
      type: "skip",
      maxPercentile: 1,
      perChannel: false,
      preprocessOn: false,
      optimization: [],
    },
    compiler: {
      compileMode: "latency",
      balanceFactor: undefined,
      debug: true,
      coreNum: 1,
      optimizeLevel: "O3",
      maxTimePerFc: 0,
      jobs: undefined,
      advice: 0,
    },
    customOp: undefined,
    inputSources: new Map(),
    places: new Map(),
  };
}
