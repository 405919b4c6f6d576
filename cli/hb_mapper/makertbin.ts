/**
 * `hb_mapper makertbin`: float model and calibration data to `.bin`.
 *
 * @module
 */

import type { Command } from "../../src/deps.ts";
import { Option } from "../../src/deps.ts";
import { BpuError } from "../../src/errors.ts";
import { completeConfig, parseConfig } from "../../src/formats/config/mod.ts";
import type { CompleteConfig } from "../../src/formats/config/mod.ts";
import { openCalibration, randomCalibration } from "../../src/formats/data/mod.ts";
import { issueText } from "../../src/formats/config/mod.ts";
import type { Made } from "../../src/flow/makertbin.ts";
import { makertbin } from "../../src/flow/makertbin.ts";
import { version } from "../../src/flow/version.ts";
import type { Graph } from "../../src/ir/graph.ts";
import { functionsOf } from "../../src/ops/functions.ts";
import { createFloatEngine } from "../../src/run/float.ts";
import { nodeTable, outputTable } from "../../src/report/tables.ts";
import { command } from "../app.ts";
import { fileSource, readText, writeFiles } from "../files.ts";
import { loadModel } from "../load_model.ts";
import type { ModelFiles } from "../load_model.ts";
import { openLog, progress } from "../log.ts";
import type { Log } from "../log.ts";

interface Flags {
  readonly config?: string;
  readonly modelType: "onnx" | "caffe";
  readonly json?: boolean;
  readonly debug?: boolean;
}

/** A configuration with the model that it names. */
export interface Job {
  readonly config: CompleteConfig;
  readonly model: Graph;
}

/** Reads a yaml and the model in it; prints warnings and what was filled in. */
export async function openJob(path: string, modelType: "onnx" | "caffe", log: Log): Promise<Job> {
  const { config, warnings } = parseConfig(await readText(path, "config"), {
    file: path,
    modelType,
  });
  for (const w of warnings) log.warning(issueText(w));
  const shapes = new Map(
    config.inputs.filter((i) => i.name !== undefined && i.shape !== undefined)
      .map((i) => [i.name!, i.shape!]),
  );
  const files: ModelFiles = modelType === "onnx"
    ? { type: "onnx", model: config.model.onnxModel! }
    : { type: "caffe", model: config.model.caffeModel!, prototxt: config.model.prototxt! };
  log.info(`Using ${modelType} model file: ${files.model}`);
  let model = await loadModel(files, shapes);
  log.info(`Model has ${model.inputs.length} inputs according to model file`);
  const done = completeConfig(config, model.inputs);
  for (const n of done.notes) log.info(n.text);
  for (const w of done.warnings) log.warning(issueText(w));
  if (shapes.size === 0) {
    // Shapes without a name in the yaml are known only now.
    const late = new Map(done.config.inputs.map((i) => [i.name, i.shape]));
    if (model.inputs.some((p) => p.shape.join() !== late.get(p.name)?.join())) {
      model = await loadModel(files, late);
    }
  }
  return { config: done.config, model };
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
    .option("--json", "print the result as one JSON object")
    .option("--debug", "show stack traces of errors")
    .addHelpText("after", "\nExample:\n  hb_mapper makertbin -c config.yaml --model-type onnx")
    .action(async (flags: Flags) => {
      if (flags.config === undefined) {
        throw new BpuError("usage", "makertbin needs a configuration", {
          hint: "Add --config config.yaml.",
        });
      }
      await run(flags, flags.config);
    });
}

async function run(flags: Flags, path: string): Promise<void> {
  const log = openLog("hb_mapper_makertbin.log", flags.json === true);
  const times = new Map<string, number>();
  let mark = performance.now();
  const stage = (name: string) => {
    const now = performance.now();
    times.set(name, (times.get(name) ?? 0) + now - mark);
    mark = now;
  };
  const engine = createFloatEngine({ functions: functionsOf });
  try {
    log.info("Start hb_mapper....");
    log.info(`hb_mapper version ${version}`);
    log.info("Start Model Convert....");
    const { config, model } = await openJob(path, flags.modelType, log);
    stage("load");
    const type = config.calibration.type;
    const samples = type === "skip" || type === "load"
      ? randomCalibration(config.inputs)
      : await openCalibration(fileSource, config.inputs, {
        preprocessOn: config.calibration.preprocessOn,
        warn: (text) => log.warning(text),
      });
    log.info(`num of calibration data: ${samples.count}`);
    const made = await makertbin(config, model, {
      engine,
      samples,
      log: (line) => log.info(line),
      stage,
      progress: progress("calibration"),
    });
    const files = await writeFiles(config.model.workingDir, made.files);
    stage("write");
    log.plain("The converted model node information:");
    for (const line of nodeTable(made.rows)) log.plain(line);
    log.plain("The quantify model output:");
    for (const line of outputTable(made.proof.outputs)) log.plain(line);
    const { differing, total } = made.proof.exact;
    log.info(`simulator vs onnxruntime-web: ${differing} of ${total} values differ`);
    for (const f of files) log.info(`Saving model to: ${f}`);
    if (differing > 0) {
      throw new BpuError("internal", "the simulator and the quantized model disagree", {
        hint: "Please report this model.",
      });
    }
    log.info("Convert to runtime bin file successfully!");
    log.info("End Model Convert");
    if (flags.json) console.log(JSON.stringify(report(made, times, files)));
  } catch (error) {
    log.error("exception in command: makertbin");
    throw error;
  } finally {
    log.close();
    await engine.close();
  }
}
