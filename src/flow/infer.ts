/**
 * Runs any stage model, or a `.bin`, on files as the user has them.
 *
 * @module
 */

import { readBin } from "../container/bin.ts";
import type { Bin } from "../container/bin.ts";
import type { Json } from "../container/codec.ts";
import { recordsOf } from "../container/deleted.ts";
import { restoreLast } from "../container/modify.ts";
import { BpuError } from "../errors.ts";
import type { CompleteConfig, CompleteInput, Layout } from "../formats/config/mod.ts";
import { axesOf, relayout } from "../formats/data/axes.ts";
import { loadSample, toModelInput } from "../formats/data/mod.ts";
import { loadOnnx } from "../formats/onnx/load.ts";
import type { Feeds } from "../ir/engine.ts";
import type { Graph, Port } from "../ir/graph.ts";
import { HORIZON } from "../ir/graph.ts";
import { isStatic, shapeText } from "../ir/tensor.ts";
import type { Tensor } from "../ir/tensor.ts";
import { numbersOf } from "../ir/tensor.ts";
import type { FloatEngine } from "../run/float.ts";
import { openProgram } from "../run/simulator.ts";
import { asPort, quantizedFeeds } from "./feeds.ts";
import { isConvolution, LAYERS_KEY, layersFrom } from "./layers.ts";
import type { DumpLayer } from "./layers.ts";
import { toRuntimeLayout } from "./layouts.ts";
import { dequantized } from "./prove.ts";

/** A file in memory. */
export interface InputFile {
  readonly file: string;
  readonly bytes: Uint8Array;
}

/** An output as float32 (integers are converted). */
export interface FloatTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Options of {@linkcode inferModel}. */
export interface InferOptions {
  /** Layout of the files (`--input-layout`); that of training when absent. */
  readonly layout?: Layout;
  /** Gives out convolutions too; those of the configuration's `layer_out_dump` when absent. */
  readonly layers?: boolean;
  /** What the user should know. */
  warn?(line: string): void;
}

/** What a run gives. */
export interface Inferred {
  /** By output name, in the model's order. */
  readonly outputs: ReadonlyMap<string, FloatTensor>;
  /** Results of convolutions by node name, where they were asked for. */
  readonly layers: ReadonlyMap<string, FloatTensor>;
}

interface Opened {
  readonly inputs: readonly Port[];
  /** Whether it takes inputs as the runtime delivers them; else in the layout of training. */
  readonly runtime: boolean;
  run(feeds: Feeds): Promise<{ outputs: Map<string, Tensor>; layers: Map<string, FloatTensor> }>;
  close(): Promise<void>;
}

const floats = (t: Tensor): FloatTensor => ({
  shape: t.shape,
  data: t.data instanceof Float32Array ? t.data : Float32Array.from(numbersOf(t)),
});

const real = (t: Tensor, l: DumpLayer): FloatTensor =>
  t.data instanceof Float32Array ? floats(t) : {
    shape: t.shape,
    data: dequantized(t, l.scales, l.zero),
  };

/** A model with the nodes that were removed at its edges, so that real numbers go in and come out. */
function whole(bin: Bin): Bin {
  let at = bin;
  while (recordsOf(at.info).length > 0) at = restoreLast(at).bin;
  return at;
}

/** A `.bin` in the simulator. */
async function openBin(
  model: InputFile,
  engine: FloatEngine,
  wantLayers: boolean,
  o: InferOptions,
): Promise<Opened> {
  const { program, info } = whole(await readBin(model.bytes, model.file));
  const layers = wantLayers ? layersFrom(info["layers"]) : [];
  if (wantLayers && layers.length === 0) {
    o.warn?.("the .bin keeps no inner layers: convert it with layer_out_dump: True");
  }
  const found = new Map<string, FloatTensor>();
  const byNode = new Map(layers.map((l) => [l.node, l]));
  const session = await openProgram(program, {
    cpu: engine,
    ...(layers.length === 0 ? {} : {
      onNode(n, read) {
        const l = byNode.get(n.name);
        if (l !== undefined && n.outputs.includes(l.tensor)) {
          found.set(n.name, real(read(l.tensor), l));
        }
      },
    }),
  });
  return {
    inputs: program.inputs,
    runtime: true,
    run: async (feeds) => ({ outputs: await session.run(feeds), layers: found }),
    close: () => session.close(),
  };
}

/** Convolutions of a stage model that can be given out. */
function onnxLayers(graph: Graph, o: InferOptions): DumpLayer[] {
  const text = graph.metadata.get(LAYERS_KEY);
  const stored = text === undefined ? [] : layersFrom(parsed(text));
  const byNode = new Map(stored.map((l) => [l.node, l]));
  let missing = 0;
  const layers = graph.nodes.filter(isConvolution).flatMap((n): DumpLayer[] => {
    if (n.domain === "") {
      return [{ node: n.name, tensor: n.outputs[0]!, scales: Float32Array.of(1), zero: 0 }];
    }
    const l = byNode.get(n.name);
    if (l === undefined) missing++;
    return l === undefined ? [] : [l];
  });
  if (missing > 0) {
    o.warn?.(`the model has no scales of ${missing} layers: convert it with layer_out_dump: True`);
  }
  return layers;
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

/** A stage model in the float engine. */
async function openStage(
  model: InputFile,
  engine: FloatEngine,
  wantLayers: boolean,
  o: InferOptions,
): Promise<Opened> {
  const graph = loadOnnx(model.bytes, { file: model.file });
  const open = graph.inputs.find((p) => !isStatic(p.shape));
  if (open !== undefined) {
    throw new BpuError(
      "shape",
      `input ${open.name} of the model has the shape ${shapeText(open.shape)}; infer takes ` +
        "models without dynamic dimensions",
      {
        file: model.file,
        tensor: open.name,
        hint: "Use a stage model of hb_mapper makertbin; input_shape in the yaml fixes the shape.",
      },
    );
  }
  const layers = wantLayers ? onnxLayers(graph, o) : [];
  const names = graph.outputs.map((p) => p.name);
  const session = await engine.openBytes(
    model.bytes,
    [...new Set([...names, ...layers.map((l) => l.tensor)])],
  );
  return {
    inputs: graph.inputs,
    runtime: graph.inputs.some((p) => p.dtype === "int8") ||
      graph.nodes.some((n) => n.op === "HzQuantize" && n.domain === HORIZON),
    async run(feeds) {
      const all = await session.run(feeds);
      return {
        outputs: new Map(names.map((n): [string, Tensor] => [n, all.get(n)!])),
        layers: new Map(
          layers.map((l): [string, FloatTensor] => [l.node, real(all.get(l.tensor)!, l)]),
        ),
      };
    },
    close: () => session.close(),
  };
}

/** One file as the input's sample in the layout of training. */
async function sampleOf(
  file: InputFile,
  input: CompleteInput,
  config: CompleteConfig,
  layout: Layout | undefined,
): Promise<Tensor> {
  const source = {
    list: () => Promise.resolve([]),
    read: () => Promise.resolve(file.bytes),
  };
  const options = { preprocessOn: config.calibration.preprocessOn };
  if (layout === undefined || layout === input.layoutTrain || input.shape.length !== 4) {
    return await loadSample(source, file.file, input, options);
  }
  const to = axesOf(input.shape, input.layoutTrain);
  const shape = layout === "NCHW" ? [to.n, to.c, to.h, to.w] : [to.n, to.h, to.w, to.c];
  const read = await loadSample(
    source,
    file.file,
    { ...input, shape, layoutTrain: layout },
    options,
  );
  const data = new Float32Array(read.data.length);
  relayout(read.data as Float32Array, axesOf(shape, layout), to, data);
  return { dtype: "float32", shape: input.shape, data };
}

/**
 * Runs one sample.
 *
 * @param files by input name; the form is that of the calibration data of the configuration
 * @throws BpuError("usage") for inputs that are missing or unknown
 */
export async function inferModel(
  model: InputFile,
  config: CompleteConfig,
  files: ReadonlyMap<string, InputFile>,
  engine: FloatEngine,
  options: InferOptions = {},
): Promise<Inferred> {
  const wantLayers = options.layers ?? config.model.layerOutDump;
  const opened = /\.bin$/i.test(model.file)
    ? await openBin(model, engine, wantLayers, options)
    : await openStage(model, engine, wantLayers, options);
  const { inputs } = opened;
  try {
    const feeds = new Map<string, Tensor>();
    for (const p of inputs) {
      const file = files.get(p.name) ??
        (inputs.length === 1 && files.size === 1 ? [...files.values()][0] : undefined);
      if (file === undefined) {
        throw new BpuError("usage", `no file was given for input ${p.name}`, {
          hint: `Add --image-file ${p.name} FILE.`,
        });
      }
      const input = config.inputs.find((i) => i.name === p.name);
      if (input === undefined) {
        throw new BpuError("config", `the yaml does not describe input ${p.name}`, {
          hint: "Use the configuration that the model was made with.",
        });
      }
      const sample = await sampleOf(file, input, config, options.layout);
      const taken = toModelInput(sample, input);
      feeds.set(p.name, asPort(opened.runtime ? toRuntimeLayout(taken, input) : taken, p));
    }
    for (const name of files.keys()) {
      if (inputs.length > 1 && !inputs.some((p) => p.name === name)) {
        throw new BpuError("usage", `the model has no input ${name}`, {
          hint: `Its inputs are ${inputs.map((p) => p.name).join(", ")}.`,
        });
      }
    }
    const integers = new Set(inputs.filter((p) => p.dtype === "int8").map((p) => p.name));
    const { outputs, layers } = await opened.run(quantizedFeeds(feeds, integers));
    return {
      outputs: new Map([...outputs].map(([name, t]): [string, FloatTensor] => [name, floats(t)])),
      layers,
    };
  } finally {
    await opened.close();
  }
}
