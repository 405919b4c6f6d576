/**
 * A configuration with the model that it names, opened and logged in the original's order.
 *
 * @module
 */

import {
  completeConfig,
  issueText,
  joinPath,
  normalisedJson,
  parseConfig,
} from "../../src/formats/config/mod.ts";
import type { CompleteConfig, ConfigIssue } from "../../src/formats/config/mod.ts";
import { intermediateType } from "../../src/flow/inputs.ts";
import type { Graph } from "../../src/ir/graph.ts";
import { modelLines, pythonNames, pythonShape, yamlLines } from "../../src/report/log_blocks.ts";
import { readText } from "../files.ts";
import { loadModel } from "../load_model.ts";
import type { ModelFiles } from "../load_model.ts";
import type { Log } from "../log.ts";

/** A configuration with its model. */
export interface Job {
  readonly config: CompleteConfig;
  readonly model: Graph;
}

/** Groups in the order in which the log validates them. */
const GROUPS = [
  "model_parameters",
  "input_parameters",
  "calibration_parameters",
  "custom_op",
  "compiler_parameters",
] as const;

function absolute(path: string): string {
  try {
    return joinPath(Deno.cwd(), path);
  } catch {
    return path; // Without permission to read the current folder.
  }
}

function isDeprecation(w: ConfigIssue): boolean {
  return /deprecated|merged into/i.test(w.message);
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.NotFound);
  }
}

/** Reads a yaml and the model in it; logs warnings and what was filled in. */
export async function openJob(path: string, modelType: "onnx" | "caffe", log: Log): Promise<Job> {
  const { config, warnings } = parseConfig(await readText(path, "config"), {
    file: path,
    modelType,
  });
  const shapes = new Map(
    config.inputs.filter((i) => i.name !== undefined && i.shape !== undefined)
      .map((i) => [i.name!, i.shape!]),
  );
  const files: ModelFiles = modelType === "onnx"
    ? { type: "onnx", model: config.model.onnxModel! }
    : { type: "caffe", model: config.model.caffeModel!, prototxt: config.model.prototxt! };
  log.info("validating model_parameters...");
  log.info(`Using abs path ${absolute(files.model)}`);
  log.info(`Using ${modelType} model file: ${files.model}`);
  let model = await loadModel(files, shapes, (line) => log.info(line));
  log.info(`Model input names: ${pythonNames(model.inputs.map((p) => p.name))}`);
  log.info(`Model has ${model.inputs.length} inputs according to model file`);
  if (!await exists(config.model.workingDir)) {
    log.info(
      `working_dir does not exist. Creating working_dir: ${absolute(config.model.workingDir)}`,
    );
  }
  const done = completeConfig(config, model.inputs);
  const all = [...warnings, ...done.warnings];
  for (const group of GROUPS) {
    if (group !== "model_parameters") log.info(`validating ${group}...`);
    if (group === "calibration_parameters") {
      for (const i of config.inputs) {
        if (i.calDataDir !== undefined) log.info(`Using abs path ${absolute(i.calDataDir)}`);
      }
    }
    for (const n of done.notes) if (n.group === group) log.info(n.text);
    for (const w of all) {
      if (w.key?.split(".")[0] === group && !isDeprecation(w)) log.warning(issueText(w));
    }
    log.info(`validating ${group} finished`);
  }
  log.info("validating deprecated parameters...");
  for (const w of all) {
    const known = GROUPS.some((g) => w.key?.split(".")[0] === g);
    if (!known || isDeprecation(w)) log.warning(issueText(w));
  }
  log.info("validating deprecated parameters finished");
  log.debug("Dump config:\n" + yamlLines(normalisedJson(done.config)).join("\n"));
  if (shapes.size === 0) {
    // Shapes without a name in the yaml are known only now.
    const late = new Map(done.config.inputs.map((i) => [i.name, i.shape]));
    if (model.inputs.some((p) => p.shape.join() !== late.get(p.name)?.join())) {
      model = await loadModel(files, late, () => {});
    }
  }
  for (const i of done.config.inputs) {
    log.info(`input '${i.name}' : original model shape: ${pythonShape(i.shape)}`);
    log.info(`input '${i.name}' : ${i.typeRt} is taken as ${intermediateType(i)}`);
  }
  logModel(model, modelType, log);
  return { config: done.config, model };
}

/** The model block of the log. */
export function logModel(model: Graph, type: "onnx" | "caffe", log: Log): void {
  const [first, ...rest] = modelLines(model, type);
  log.info(first!);
  for (const line of rest) log.plain(line);
}
