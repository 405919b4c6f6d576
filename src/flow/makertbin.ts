/**
 * `hb_mapper makertbin` as a function: a configuration, a float graph and calibration data in; every
 * stage, the program, the proof and the artefacts out. Nothing here reads a file, a flag or the clock.
 *
 * @module
 */

import { writeBin } from "../container/bin.ts";
import type { Json } from "../container/codec.ts";
import type { CompleteConfig } from "../formats/config/mod.ts";
import { normalisedJson } from "../formats/config/mod.ts";
import type { CalibrationSet } from "../formats/data/mod.ts";
import { saveOnnx } from "../formats/onnx/save.ts";
import type { Graph } from "../ir/graph.ts";
import { marchOf } from "../march/mod.ts";
import { functionsOf } from "../ops/functions.ts";
import type { FloatEngine } from "../run/float.ts";
import { accuracySearch, samplesOf } from "./accuracy.ts";
import type { SearchSummary } from "./accuracy.ts";
import {
  explicitPerChannel,
  goalOf,
  needsSearch,
  splitFor,
  unusedOptions,
} from "./accuracy_options.ts";
import type { Plan } from "../quantize/plan.ts";
import { refuseInputs } from "./check.ts";
import { createCalibrator } from "./calibrator.ts";
import { convert } from "./convert.ts";
import type { Conversion, StageName } from "./convert.ts";
import { quantizedFeeds, typedSamples } from "./feeds.ts";
import { compileScheduled, finish } from "./finish.ts";
import type { Finished } from "./finish.ts";
import { attachInputs } from "./inputs.ts";
import type { Prepared } from "./inputs.ts";
import { int16Tensors } from "./int16.ts";
import { dumpLayers, layersJson, withLayers } from "./layers.ts";
import type { DumpLayer } from "./layers.ts";
import { attachLayouts, runtimeFeeds } from "./layouts.ts";
import { loadQuantized } from "./load_quantized.ts";
import { nodeRows } from "./node_rows.ts";
import type { SourcedRow } from "./node_rows.ts";
import { cutAtNodes } from "./output_nodes.ts";
import { bpuKinds, placeOptions } from "./place_options.ts";
import { prove } from "./prove.ts";
import type { Proof } from "./prove.ts";
import type { Fork } from "./search/forms.ts";
import type { MixedGoal } from "./search/mixed.ts";
import { quantInfo } from "./quant_info.ts";
import { version } from "./version.ts";

/** What {@linkcode makertbin} needs besides the configuration. */
export interface MakeOptions {
  readonly engine: FloatEngine;
  readonly samples: CalibrationSet;
  log?(line: string): void;
  /** Called when a stage ends. */
  stage?(name: StageName | "prove" | "write"): void;
  /** What the user should know; goes to the log as a warning. */
  warn?(line: string): void;
  /** Samples done of samples in all. */
  progress?(done: number, total: number): void;
  /** Text of the `cache.json` of an earlier run. */
  readonly cache?: string;
  /** Places everything on the BPU that can be (`--fast-perf`). */
  readonly allOnBpu?: boolean;
  /** Looks for int16 tensors (`--accuracy`, `--latency-budget`, `--int16-tensors`). */
  readonly goal?: MixedGoal;
}

/** What a conversion made. */
export interface Made {
  readonly conversion: Conversion;
  readonly proof: Proof;
  readonly rows: readonly SourcedRow[];
  readonly finished: Finished;
  /** Where calibration searched. */
  readonly search?: SearchSummary;
  /** File name (without folder) -> bytes. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** Runs the whole chain. */
export async function makertbin(
  config: CompleteConfig,
  model: Graph,
  options: MakeOptions,
): Promise<Made> {
  const log = (line: string) => options.log?.(line);
  refuseInputs(model);
  const loaded = loadQuantized(cutAtNodes(model, config.model.outputNodes), config, log);
  const prepared = attachInputs(loaded.graph, config.inputs);
  const samples = typedSamples(options.samples, prepared.graph.inputs);
  const goal = goalOf(config, options.goal);
  const searching = needsSearch(config, goal);
  const split = splitFor(config, goal, samples.count);
  const everyone = Array.from({ length: options.samples.count }, (_, i) => i);
  const open = (indices: readonly number[] = split.observed) =>
    createCalibrator(
      config.calibration,
      options.engine,
      () => samplesOf(options.samples, indices),
      (done) => options.progress?.(done, indices.length),
    );
  const calibrator = open();
  const forkFor = (indices: readonly number[]): Fork => async (graph, tensors) => {
    const own = open(indices);
    await own.observe(graph, tensors);
    return own;
  };
  const fork = forkFor(split.observed);
  const announce = () => {
    if (calibrator.candidates.length > 1) {
      log("Run calibration model with modelwise search method.");
      log(`calibration methods: [${calibrator.candidates.map((m) => `'${m}'`).join(", ")}]`);
    } else {
      log(`Run calibration model with ${calibrator.candidates[0]} method.`);
    }
  };
  const march = marchOf(config.model.march);
  for (const line of unusedOptions(config)) log(line);
  const search = !searching ? undefined : accuracySearch(prepared.graph, config, {
    engine: options.engine,
    samples,
    split,
    integerInputs: prepared.integerInputs,
    fork,
    forkAll: forkFor(everyone),
    log,
    ...(goal === undefined ? {} : { goal }),
    progress: (done, total) => options.progress?.(done, total),
  });
  const converted = await convert(prepared.graph, {
    march,
    place: placeOptions(config, options.allOnBpu === true),
    bpuKinds: bpuKinds(config),
    fixed: new Map([...loaded.tensors, ...prepared.fixed]),
    weights: loaded.weights,
    integerInputs: prepared.integerInputs,
    int16: (graph, layout) => int16Tensors(graph, layout, march, config, log),
    calibrator,
    fork,
    perChannel: explicitPerChannel(config),
    engine: options.engine,
    log,
    stage(name) {
      options.stage?.(name);
      if (name === "optimize") announce();
    },
    ...(search === undefined ? {} : { search: (w, plain) => search.run(w, plain) }),
  });
  log(`Select ${converted.method} method.`);
  for (const line of zeroPointLines(converted.plan, config)) log(line);
  const quantized = attachLayouts(converted.quantized, config.inputs);
  log(`Start to compile the model with march ${config.model.march}.`);
  const scheduled = await compileScheduled(quantized.graph, config, options.cache, {
    log,
    warn: (line) => options.warn?.(line),
  });
  const conversion: Conversion = { ...converted, quantized, program: scheduled.program };
  for (const part of scheduled.program.segments) {
    if (part.kind === "bpu") log(`Compile submodel: ${quantized.graph.name}_subgraph_${part.id}`);
  }
  log(`End to compile the model with march ${config.model.march}.`);
  options.stage?.("compile");
  const feeds = await samples.sample(0);
  const proof = await prove(
    conversion,
    options.engine,
    feeds,
    quantizedFeeds(runtimeFeeds(feeds, config.inputs), prepared.integerInputs),
  );
  options.stage?.("prove");
  const rows = nodeRows(conversion, proof);
  const layers = config.model.layerOutDump ? dumpLayers(conversion) : undefined;
  const info = infoOf(config, prepared, conversion, rows);
  const finished = finish(
    {
      program: conversion.program,
      info: layers === undefined ? info : { ...info, layers: layersJson(layers) },
    },
    config,
    {
      log,
      warn: (line) => options.warn?.(line),
      removeEdges: options.allOnBpu === true,
    },
  );
  const files = await artefacts(config, conversion, proof, finished, layers, scheduled.cache);
  for (const [suffix, text] of search?.files() ?? []) {
    files.set(config.model.outputModelFilePrefix + suffix, encode(text));
  }
  options.stage?.("write");
  const summary = search?.summary();
  return {
    ...{ conversion, proof, rows, finished, files },
    ...(summary === undefined ? {} : { search: summary }),
  };
}

/** What the log says about zero points. */
function zeroPointLines(plan: Plan, { calibration }: CompleteConfig): string[] {
  const plans = [...plan.tensors.values()];
  const zeros = plans.filter((p) => p.zero !== 0).length;
  const asked = calibration.optimization.includes("asymmetric") && calibration.type !== "default";
  if (zeros === 0 && !asked) return [];
  const wide = plans.filter((p) => p.dtype === "int16").length;
  return [
    `${zeros} of ${plans.length} tensors are asymmetric (they have a zero point).`,
    ...(wide === 0 ? [] : [`${wide} int16 tensors stay symmetric: only int8 has zero points.`]),
  ];
}

const encode = (text: string) => new TextEncoder().encode(text);

function infoOf(
  config: CompleteConfig,
  prepared: Prepared,
  c: Conversion,
  rows: readonly SourcedRow[],
): { [k: string]: Json } {
  return {
    name: config.model.outputModelFilePrefix,
    version,
    config: normalisedJson(config),
    inputs: c.program.inputs.map((p) => ({
      name: p.name,
      dtype: p.dtype,
      shape: [...p.shape],
      type: prepared.integerInputs.has(p.name) ? "image" : "featuremap",
    })),
    outputs: c.program.outputs.map((p) => ({ name: p.name, dtype: p.dtype, shape: [...p.shape] })),
    nodes: rows.map((r): Json => ({
      name: r.name,
      on: r.on,
      subgraph: r.subgraph ?? null,
      type: r.type,
    })),
  };
}

async function artefacts(
  config: CompleteConfig,
  c: Conversion,
  proof: Proof,
  finished: Finished,
  layers: readonly DumpLayer[] | undefined,
  cache: string | undefined,
): Promise<Map<string, Uint8Array>> {
  const prefix = config.model.outputModelFilePrefix;
  const onnx = (g: Graph) => saveOnnx(g, { functions: functionsOf(g) });
  const quantized = layers === undefined
    ? c.quantized.graph
    : withLayers(c.quantized.graph, layers);
  return new Map([
    [`${prefix}_original_float_model.onnx`, onnx(c.original)],
    [`${prefix}_optimized_float_model.onnx`, onnx(c.optimized)],
    [`${prefix}_calibrated_model.onnx`, onnx(c.calibrated)],
    [`${prefix}_quantized_model.onnx`, onnx(quantized)],
    [`${prefix}_quant_info.json`, encode(quantInfo(c, proof))],
    [`${prefix}.bin`, await writeBin(finished.bin, functionsOf)],
    ...(cache === undefined ? [] : [["cache.json", encode(cache)] as [string, Uint8Array]]),
  ]);
}
