/**
 * `hb_mapper makertbin`: float model and calibration data to `.bin`.
 *
 * @module
 */

import type { Command } from "../../src/deps.ts";
import { Option } from "../../src/deps.ts";
import { infoLines } from "../../src/container/info.ts";
import { BpuError, sentenceOf } from "../../src/errors.ts";
import { batchOfOne, fastPerfConfig } from "../../src/flow/fast_perf.ts";
import type { Made } from "../../src/flow/makertbin.ts";
import { makertbin } from "../../src/flow/makertbin.ts";
import type { SearchSummary } from "../../src/flow/accuracy.ts";
import type { MixedGoal } from "../../src/flow/search/mixed.ts";
import { version } from "../../src/flow/version.ts";
import { openCalibration, randomCalibration } from "../../src/formats/data/mod.ts";
import type { CalibrationSet } from "../../src/formats/data/mod.ts";
import type { CompleteConfig } from "../../src/formats/config/mod.ts";
import { functionsOf } from "../../src/ops/functions.ts";
import { nodeTable, outputTable } from "../../src/report/tables.ts";
import { createFloatEngine } from "../../src/run/float.ts";
import type { FloatEngine } from "../../src/run/float.ts";
import { collectPair, command } from "../app.ts";
import { withConfigOperators } from "../custom_op_files.ts";
import { fileSource, join, writeFiles } from "../files.ts";
import { loadModel, parseShape } from "../load_model.ts";
import type { ModelFiles } from "../load_model.ts";
import { logPath, openLog, progress } from "../log.ts";
import type { Log } from "../log.ts";
import { dumpSamples, logSamples } from "./calibration_log.ts";
import { logModel, openJob } from "./job.ts";
import type { Job } from "./job.ts";

interface Flags {
  readonly config?: string;
  readonly modelType: "onnx" | "caffe";
  readonly fastPerf?: boolean;
  readonly model?: string;
  readonly proto?: string;
  readonly march?: string;
  readonly inputShape: ReadonlyMap<string, string>;
  readonly accuracy?: number;
  readonly latencyBudget?: number;
  readonly int16Tensors?: number;
  readonly json?: boolean;
  readonly debug?: boolean;
}

/** How the numbers were found, as `--json` prints it; null where nothing was searched. */
function searchReport(s: SearchSummary | undefined) {
  if (s === undefined) return null;
  const { chosen, similarity, worst, cosine, samples, evaluations, mixed } = s;
  return {
    ...{ chosen, similarity, worst_output: worst, cosine, samples, evaluations },
    mixed: mixed === undefined ? null : {
      int16: mixed.int16,
      node_info: mixed.nodeInfo,
      reached: mixed.reached,
      evaluations: mixed.evaluations,
      pareto: mixed.pareto.map((p) => ({
        int16_tensors: p.count,
        added_tensor: p.tensor === "" ? null : p.tensor,
        latency_us: p.microseconds,
        predicted_noise: p.predictedNoise,
        similarity: p.similarity ?? null,
      })),
    },
  };
}

/** The object that `--json` prints. */
function report(made: Made, times: ReadonlyMap<string, number>, files: readonly string[]) {
  return {
    stages: Object.fromEntries([...times].map(([k, v]) => [k, Math.round(v)])),
    method: made.conversion.method,
    nodes: made.rows.map((r) => ({
      name: r.name,
      on: r.on,
      subgraph: r.subgraph ?? null,
      type: r.type,
      cosine: r.cosine ?? null,
      threshold: r.threshold ?? null,
      dtype: r.dtype ?? null,
      reason: r.reason ?? null,
    })),
    outputs: made.proof.outputs,
    exact: made.proof.exact,
    latency_us: made.finished.estimate.latencyUs,
    search: searchReport(made.search),
    deleted: made.finished.deleted.map((d) => d.node.name),
    files,
  };
}

/** `hb_mapper makertbin`. */
export function makertbinCommand(): Command {
  return command("makertbin", "Converts a float model into a .bin with its stage models.")
    .option("-c, --config <yaml>", "configuration file")
    .addOption(
      new Option("--model-type <type>", "kind of the model").choices(["onnx", "caffe"])
        .makeOptionMandatory(),
    )
    .option("--fast-perf", "highest speed without a configuration; for measuring only")
    .option("--model <file>", "ONNX file or caffemodel (with --fast-perf)")
    .option("--proto <prototxt>", "network description of a Caffe model (with --fast-perf)")
    .option("--march <march>", "bayes, bernoulli2 or bayes-e (with --fast-perf; default bayes)")
    .option(
      "-i, --input-shape <name and shape>",
      "shape of an input, like: data 1x3x224x224; repeat for each input (with --fast-perf)",
      collectPair,
      new Map<string, string>(),
    )
    .option(
      "--accuracy <s>",
      "similarity of the outputs to reach with int16 tensors",
      within("--accuracy", 1),
    )
    .option(
      "--latency-budget <us>",
      "most microseconds of the BPU part",
      within("--latency-budget", Infinity),
    )
    .option("--int16-tensors <n>", "most tensors that become int16", tensorCount)
    .option("--json", "print the result as one JSON object")
    .option("--debug", "show stack traces of errors")
    .addHelpText(
      "after",
      "\nExamples:\n  hb_mapper makertbin -c config.yaml --model-type onnx\n" +
        "  hb_mapper makertbin --fast-perf --model model.onnx --model-type onnx --march bayes",
    )
    .action(async (flags: Flags) => {
      checkFlags(flags);
      await run(flags);
    });
}

/** Parses a number above 0 and at most `most`. */
function within(flag: string, most: number): (text: string) => number {
  return (text) => {
    const v = Number(text);
    if (text.trim() !== "" && v > 0 && v <= most && v < Infinity) return v;
    const bounds = most === 1 ? "above 0 and at most 1, 0.999 for example" : "above 0";
    throw new BpuError("usage", `${flag} takes a number ${bounds}, not ${JSON.stringify(text)}`);
  };
}

function tensorCount(text: string): number {
  const n = Number(text);
  if (text.trim() !== "" && Number.isSafeInteger(n) && n >= 1) return n;
  throw new BpuError(
    "usage",
    `--int16-tensors takes a whole number from 1 up, not ${JSON.stringify(text)}`,
  );
}

/** The int16 search that the flags ask for. */
function goalOf(f: Flags): MixedGoal | undefined {
  const { accuracy, latencyBudget, int16Tensors } = f;
  if ([accuracy, latencyBudget, int16Tensors].every((v) => v === undefined)) return undefined;
  return {
    ...(accuracy === undefined ? {} : { accuracy }),
    ...(latencyBudget === undefined ? {} : { latency: latencyBudget }),
    ...(int16Tensors === undefined ? {} : { tensors: int16Tensors }),
  };
}

/** Refuses flags that do not go together. */
function checkFlags(f: Flags): void {
  const refuse = (message: string, hint: string): never => {
    throw new BpuError("usage", message, { hint });
  };
  if (f.fastPerf === true) {
    if (f.config !== undefined) {
      refuse(
        "--fast-perf has a built-in configuration and does not take --config",
        "Leave one of the two out.",
      );
    }
    if (f.model === undefined) refuse("--fast-perf needs a model", "Add --model FILE.");
    if (f.modelType === "caffe" && f.proto === undefined) {
      refuse("a Caffe model needs its prototxt", "Add --proto FILE.");
    }
    return;
  }
  if (f.config === undefined) {
    refuse("makertbin needs a configuration", "Add --config config.yaml, or use --fast-perf.");
  }
  const only: [string, boolean][] = [
    ["--model", f.model !== undefined],
    ["--proto", f.proto !== undefined],
    ["--march", f.march !== undefined],
    ["--input-shape", f.inputShape.size > 0],
  ];
  const wrong = only.find(([, given]) => given);
  if (wrong !== undefined) {
    refuse(
      `${wrong[0]} works with --fast-perf only`,
      "With --config the yaml says it.",
    );
  }
}

async function openFastPerf(flags: Flags, log: Log): Promise<Job> {
  const files: ModelFiles = {
    type: flags.modelType,
    model: flags.model!,
    ...(flags.proto === undefined ? {} : { prototxt: flags.proto }),
  };
  const shapes = new Map(
    [...flags.inputShape].map(([name, text]) => [name, parseShape(text, name)]),
  );
  log.info(`Using ${flags.modelType} model file: ${files.model}`);
  let model = await loadModel(files, shapes, (line) => log.info(line));
  const one = batchOfOne(model);
  if (one !== undefined) {
    for (const name of one.keys()) log.info(`The first dimension of input ${name} is set to 1`);
    model = await loadModel(files, new Map([...shapes, ...one]), () => {});
  }
  logModel(model, flags.modelType, log);
  const config = fastPerfConfig({
    type: flags.modelType,
    model: files.model,
    prototxt: flags.proto,
    march: flags.march ?? "bayes",
  }, model);
  return { config, model };
}

async function samplesOf(config: CompleteConfig, log: Log): Promise<CalibrationSet> {
  const type = config.calibration.type;
  if (type === "skip" || type === "load") return randomCalibration(config.inputs);
  return await openCalibration(fileSource, config.inputs, {
    preprocessOn: config.calibration.preprocessOn,
    warn: (text) => log.warning(text),
    note: (file, text) => log.debug(`${file}: ${text}`),
  });
}

/** `cache.json` of an earlier run; undefined when there is none or it may not be read. */
async function readCache(config: CompleteConfig, log: Log): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(join(config.model.workingDir, "cache.json"));
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) {
      log.debug("cache.json may not be read: add working_dir to --allow-read");
    }
    return undefined;
  }
}

/** Marks in the log where a stage ends and the next begins. */
const after: Readonly<Record<string, readonly string[]>> = {
  optimize: ["End to optimize the model.", "Start to calibrate the model."],
  calibrate: ["End to calibrate the model.", "Start to quantize the model."],
  quantize: ["End to quantize the model."],
};

async function run(flags: Flags): Promise<void> {
  const name = "hb_mapper_makertbin.log";
  const log = openLog(name, flags.json === true);
  const times = new Map<string, number>();
  let mark = performance.now();
  const stage = (stage: string) => {
    const now = performance.now();
    times.set(stage, (times.get(stage) ?? 0) + now - mark);
    mark = now;
    for (const line of after[stage] ?? []) log.info(line);
  };
  let engine: FloatEngine | undefined;
  try {
    log.info(`log will be stored in ${logPath(name)}`);
    log.info("Start hb_mapper....");
    log.info(`hb_mapper version ${version}`);
    log.info("Start Model Convert....");
    const fast = flags.fastPerf === true;
    const { config, model: loaded } = fast
      ? await openFastPerf(flags, log)
      : await openJob(flags.config!, flags.modelType, log);
    const { jobs, optimizeLevel } = config.compiler;
    engine = createFloatEngine({
      functions: functionsOf,
      ...(jobs === undefined || jobs === 0 ? {} : { workers: jobs === 1 ? 0 : jobs }),
    });
    const custom = await withConfigOperators(engine, config.customOp, log);
    engine = custom.engine;
    const model = await custom.resolve(loaded);
    const samples = await samplesOf(config, log);
    await logSamples(config, samples, log);
    if (config.model.dumpCalibrationData) await dumpSamples(config, samples, log);
    stage("load");
    const cache = optimizeLevel === "O3" ? await readCache(config, log) : undefined;
    log.info("Start to optimize the model.");
    const goal = goalOf(flags);
    const made = await makertbin(config, model, {
      ...(goal === undefined ? {} : { goal }),
      engine,
      samples,
      allOnBpu: fast,
      log: (line) => log.info(line),
      warn: (line) => log.warning(line),
      stage,
      progress: progress("calibration"),
      ...(cache === undefined ? {} : { cache }),
    });
    logTables(made, log);
    const { differing, total } = made.proof.exact;
    log.info(`simulator vs onnxruntime-web: ${differing} of ${total} values differ`);
    if (differing > 0) {
      throw new BpuError("internal", "the simulator and the quantized model disagree", {
        hint: "Please report this model; no file was written.",
      });
    }
    log.info("start convert to *.bin file....");
    const files = await writeFiles(config.model.workingDir, made.files);
    stage("write");
    for (const f of files) log.info(`Saving model to: ${f}`);
    log.info(`ONNX model output num : ${made.finished.bin.program.outputs.length}`);
    const info = { kind: "model", ...made.finished.bin.info };
    for (const line of infoLines(info, `${config.model.outputModelFilePrefix}.bin`)) log.info(line);
    log.info("Convert to runtime bin file successfully!");
    log.info("End Model Convert");
    if (flags.json) console.log(JSON.stringify(report(made, times, files)));
  } catch (error) {
    // The sentence goes to the file too; the console gets it from `main`.
    log.debug(`ERROR ${sentenceOf(error)}`);
    log.error("exception in command: makertbin");
    throw error;
  } finally {
    log.close();
    await engine?.close();
  }
}

function logTables(made: Made, log: Log): void {
  log.info("The converted model node information:");
  for (const line of nodeTable(made.rows)) log.plain(line);
  log.info("The quantify model output:");
  for (const line of outputTable(made.proof.outputs)) log.plain(line);
}
