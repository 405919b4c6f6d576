/**
 * Fills in what only the model file knows: names and shapes of inputs.
 *
 * @module
 */

import { BpuError } from "../../errors.ts";
import { isStatic, shapeText } from "../../ir/tensor.ts";
import { imageAxes, refuseShape } from "./input_rules.ts";
import { defaultSource } from "./inputs.ts";
import { type ConfigIssue, Issues, suggest } from "./issues.ts";
import type { GroupName } from "./key_spec.ts";
import type { CompleteConfig, CompleteInput, Config, InputConfig } from "./types.ts";

/** An input as the model file has it; -1 for an unknown dimension. */
export interface ModelInput {
  readonly name: string;
  readonly shape: readonly number[];
}

/** A line for the log of one group's validation, in the original tool's words. */
export interface ConfigNote {
  readonly group: GroupName;
  readonly text: string;
}

/** What {@linkcode completeConfig} returns. */
export interface CompletedConfig {
  readonly config: CompleteConfig;
  readonly warnings: readonly ConfigIssue[];
  readonly notes: readonly ConfigNote[];
}

/**
 * Matches the config's inputs with those of the model. The order of the result is that of the yaml's
 * `input_name`, else that of the model.
 *
 * @param modelInputs the model's inputs, without initializers
 * @param options.dynamicBatch turns an unknown first dimension into 1 (as fast-perf does)
 * @throws {ConfigError} on counts, names, ranks, channels that do not match; {@linkcode BpuError}
 * `shape` when a shape stays dynamic.
 */
export function completeConfig(
  config: Config,
  modelInputs: readonly ModelInput[],
  options: { readonly dynamicBatch?: boolean } = {},
): CompletedConfig {
  const issues = new Issues(config.file);
  const notes: ConfigNote[] = [];
  const note = (group: GroupName, text: string) => notes.push({ group, text });
  const at = (path: string) => config.places.get(path);
  const names = nameInputs(config, modelInputs, issues, note);
  const byName = new Map(modelInputs.map((m) => [m.name, m.shape]));
  const shapes = names.map((name, i) => {
    const own = byName.get(name) ?? [];
    const given = config.inputs[i]!.shape;
    return given === undefined ? [...own] : mergeShape(name, given, own, config, issues);
  });
  if (config.inputs.every((i) => i.shape === undefined)) {
    const list = shapes.map((s) => `[${s.map((d) => d < 0 ? "'?'" : d).join(", ")}]`).join(", ");
    note(
      "input_parameters",
      `Model input shape not given in yaml_file, using shape from model file: [${list}]`,
    );
  }
  if (options.dynamicBatch === true) {
    for (const s of shapes) if (s[0] !== undefined && s[0] < 0) s[0] = 1;
  }
  const inputs: CompleteInput[] = [];
  config.inputs.forEach((input, i) => {
    const name = names[i]!;
    const shape = shapes[i]!;
    checkShape(input, name, shape, config, issues);
    if (input.typeRt === "nv12") note("input_parameters", "nv12 input type rt received.");
    const given = input.inputSourceGiven ? input.inputSource : config.inputSources.get(name);
    const inputSource = given ?? config.inputSources.get("_default_value") ?? input.inputSource;
    if (inputSource === "resizer" && (input.typeRt !== "nv12" && input.typeRt !== "gray")) {
      issues.error(
        "compiler_parameters.input_source",
        at("compiler_parameters.input_source"),
        `resizer delivers nv12 and gray only, input_type_rt of ${name} is ${input.typeRt}`,
      );
    }
    if (given === undefined) {
      note(
        "compiler_parameters",
        `Input node ${name}'s input_source not set, it will be set to ${
          defaultSource(input.typeRt)
        } by default`,
      );
    }
    noteSuffix(input, note);
    inputs.push({
      ...input,
      name,
      shape,
      inputSource,
      inputSourceGiven: given !== undefined,
    });
  });
  for (const name of config.inputSources.keys()) {
    if (name === "_default_value" || names.includes(name)) continue;
    const near = suggest(name, names);
    issues.error(
      "compiler_parameters.input_source",
      at("compiler_parameters.input_source"),
      `'${name}' is not an input of the model${
        near === undefined ? "" : `; did you mean ${near}?`
      }`,
      names.join(", "),
    );
  }
  if (config.inputBatch > 1) {
    inputs.forEach((i) => {
      if (i.shape.length === 0 || i.shape[0] === 1 || i.shape[0]! < 0) return;
      issues.error(
        "input_parameters.input_batch",
        at("input_parameters.input_batch"),
        `input_batch ${config.inputBatch} needs a first dimension of 1, ${i.name} is ${
          shapeText(i.shape)
        }`,
      );
    });
  }
  if (config.customOp === undefined) note("custom_op", "custom_op does not exist, skipped");
  issues.throwErrors();
  const dynamic = inputs.find((i) => !isStatic(i.shape) || i.shape.includes(0));
  if (dynamic !== undefined) {
    const place = at("input_parameters.input_shape");
    throw new BpuError(
      "shape",
      `The shape of model input:${dynamic.name} is [${
        dynamic.shape.map((d) => d < 0 ? "?" : d).join(", ")
      }] which has dimensions of 0. Please specify input-shape parameter`,
      {
        file: config.file,
        ...place,
        key: "input_parameters.input_shape",
        hint: `For example input_shape: '${
          dynamic.shape.map((d, k) => d > 0 ? d : k === 0 ? 1 : 224).join("x")
        }' in the yaml, or --input-shape on the command line.`,
      },
    );
  }
  return { config: { ...config, inputs }, warnings: issues.warnings, notes };
}

function nameInputs(
  config: Config,
  model: readonly ModelInput[],
  issues: Issues,
  note: (group: GroupName, text: string) => void,
): string[] {
  const path = "input_parameters.input_name";
  const place = config.places.get(path);
  const names = model.map((m) => m.name);
  if (config.inputs.length !== model.length) {
    const hint = config.inputs.length < model.length
      ? `; give one value an input, separated by ;, in every key`
      : "";
    issues.error(
      path,
      place,
      `the config describes ${count(config.inputs.length)}, the model has ${
        count(model.length)
      }${hint}`,
      names.join("; "),
    );
    issues.throwErrors();
  }
  const given = config.inputs.map((i) => i.name);
  if (given.every((n) => n === undefined)) {
    if (model.length > 1) {
      issues.warn(
        path,
        place,
        "input_name should be given for a model with several inputs; the model's order is used",
        names.join("; "),
      );
    }
    note(
      "input_parameters",
      `Model name not given in yaml_file, using model name from model file: [${
        names.map((n) => `'${n}'`).join(", ")
      }]`,
    );
    return names;
  }
  given.forEach((name) => {
    if (name !== undefined && names.includes(name)) return;
    const near = name === undefined ? undefined : suggest(name, names);
    issues.error(
      path,
      place,
      `${name === undefined ? "an empty name" : `'${name}'`} is not an input of the model${
        near === undefined ? "" : `; did you mean ${near}?`
      }`,
      names.join("; "),
    );
  });
  issues.throwErrors();
  return given as string[];
}

function count(n: number): string {
  return n === 1 ? "1 input" : `${n} inputs`;
}

/** The yaml's shape wins; its unknown dimensions come from the model. */
function mergeShape(
  name: string,
  given: readonly number[],
  own: readonly number[],
  config: Config,
  issues: Issues,
): number[] {
  const path = "input_parameters.input_shape";
  const place = config.places.get(path);
  if (given.length !== own.length) {
    issues.error(
      path,
      place,
      `${name} has ${own.length} dimensions in the model (${shapeText(own)}), input_shape ${
        shapeText(given)
      } has ${given.length}`,
    );
    return [...own];
  }
  if (own.some((d, k) => d > 0 && given[k]! > 0 && d !== given[k])) {
    issues.warn(
      path,
      place,
      `${name} is ${shapeText(own)} in the model; input_shape ${shapeText(given)} is used`,
    );
  }
  return given.map((d, k) => d < 0 ? own[k]! : d);
}

function checkShape(
  input: InputConfig,
  name: string,
  shape: readonly number[],
  config: Config,
  issues: Issues,
): void {
  const place = (key: string) => config.places.get(`input_parameters.${key}`);
  const refused = refuseShape(shape, input.layoutTrain, input.typeTrain, input.typeRt);
  if (refused !== undefined) {
    issues.error("input_parameters.input_shape", place("input_shape"), `${name}: ${refused}`);
    return;
  }
  if (input.norm.type !== "no_preprocess" && shape.length !== 4) {
    issues.error(
      "input_parameters.norm_type",
      place("norm_type"),
      `${name}: a featuremap with ${shape.length} dimensions takes no_preprocess only`,
    );
    return;
  }
  const channels = imageAxes(shape, input.layoutTrain)[0];
  for (
    const [key, values] of [["mean_value", input.norm.mean], [
      "scale_value",
      input.norm.scale,
    ]] as const
  ) {
    if (values.length <= 1 || channels < 0 || values.length === channels) continue;
    issues.error(
      `input_parameters.${key}`,
      place(key),
      `${name}: ${values.length} values for ${channels} channel${channels === 1 ? "" : "s"} (${
        shapeText(shape)
      } in ${input.layoutTrain})`,
      `1 value or ${channels}`,
    );
  }
  if (config.calibration.preprocessOn && shape.length !== 4) {
    issues.error(
      "calibration_parameters.preprocess_on",
      config.places.get("calibration_parameters.preprocess_on"),
      `${name}: pictures need a 4-D input, the shape is ${shapeText(shape)}`,
      "False",
    );
  }
}

function noteSuffix(input: InputConfig, note: (group: GroupName, text: string) => void): void {
  if (input.calDataDir === undefined || !input.calDataTypeGiven) return;
  const f32 = input.calDataDir.replace(/[\\/]+$/, "").endsWith("_f32");
  const same = f32 === (input.calDataType === "float32");
  note(
    "calibration_parameters",
    same
      ? `The calibration dir name suffix is the same as the value ${input.calDataType} of the cal_data_type parameter and will be read with the value of cal_data_type.`
      : `The calibration dir name suffix is not the same as the value ${input.calDataType} of the parameter cal_data_type, the parameter setting will prevail`,
  );
}
