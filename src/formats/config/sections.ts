/**
 * The groups that do not describe inputs: from a reader to typed values.
 *
 * @module
 */

import { suggest } from "./issues.ts";
import type { KeySpec } from "./key_spec.ts";
import { optimizationNames, optimizationPattern } from "./keys_build.ts";
import { readNodeInfo } from "./node_info.ts";
import { isAbsent, quote, type Reader } from "./reader.ts";
import { keySpec } from "./schema.ts";
import type {
  CalibrationType,
  CompilerParameters,
  Config,
  March,
  ModelParameters,
} from "./types.ts";

/** model_parameters. */
export function readModel(reader: Reader, march: March): ModelParameters {
  const group = "model_parameters";
  const prefix = reader.word(group, "output_model_file_prefix") ?? "model";
  if (/[\\/]/.test(prefix) || prefix === "." || prefix === "..") {
    reader.wrong(
      group,
      "output_model_file_prefix",
      reader.at(group, "output_model_file_prefix"),
      `${quote(prefix)} is a path; the folder belongs into working_dir`,
    );
  }
  const types = pick(reader, keySpec(group, "remove_node_type")!);
  return {
    onnxModel: reader.word(group, "onnx_model"),
    caffeModel: reader.word(group, "caffe_model"),
    prototxt: reader.word(group, "prototxt"),
    march,
    outputModelFilePrefix: prefix,
    workingDir: reader.word(group, "working_dir") ?? "model_output",
    layerOutDump: reader.flag(group, "layer_out_dump", false),
    outputNodes: reader.names(group, "output_nodes"),
    removeNodeType: types,
    removeNodeName: reader.names(group, "remove_node_name"),
    dumpCalibrationData: pick(reader, keySpec(group, "debug_mode")!).length > 0,
    nodeInfo: readNodeInfo(reader),
    logLevel: reader.word(group, "log_level"),
  };
}

/** Values of a `choices` key, in order, each once. */
function pick(reader: Reader, spec: KeySpec): string[] {
  const out = new Set<string>();
  for (const item of reader.items(spec.group, spec.name, /[;,]/)?.items ?? []) {
    if (isAbsent(item.text)) continue;
    const value = reader.choose(spec.group, spec.name, item);
    if (value !== undefined) out.add(value);
  }
  return [...out];
}

/** calibration_parameters without the per-input keys. */
export function readCalibration(reader: Reader): Config["calibration"] {
  const group = "calibration_parameters";
  const optimization: string[] = [];
  let fast = false;
  for (const item of reader.items(group, "optimization", /[;,]/)?.items ?? []) {
    if (isAbsent(item.text)) continue;
    if (item.text === "run_fast") {
      fast = true;
      reader.issues.warn(
        `${group}.optimization`,
        item.at,
        "run_fast belongs to another tool generation; it is read as calibration_type skip",
      );
      continue;
    }
    const known = (optimizationNames as readonly string[]).includes(item.text) ||
      optimizationPattern.test(item.text);
    if (!known) {
      const near = suggest(item.text, optimizationNames);
      reader.issues.error(
        `${group}.optimization`,
        item.at,
        `${quote(item.text)} is not an option${
          near === undefined ? "" : `; did you mean ${near}?`
        }`,
        keySpec(group, "optimization")!.values!.join(", "),
      );
    } else if (!optimization.includes(item.text)) optimization.push(item.text);
  }
  const given = reader.choice(group, "calibration_type") as CalibrationType | undefined;
  const type = given ?? (fast ? "skip" : "default");
  const searched = type === "default" || type === "mix";
  const percentile = reader.number(group, "max_percentile");
  if (percentile !== undefined && type !== "max") {
    reader.issues.warn(
      `${group}.max_percentile`,
      reader.at(group, "max_percentile"),
      `the value is not used because calibration_type is ${type}, not max`,
    );
  }
  const perChannel = reader.flag(group, "per_channel", false);
  if (perChannel && searched) {
    reader.issues.warn(
      `${group}.per_channel`,
      reader.at(group, "per_channel"),
      `the value is not used because calibration_type ${type} searches it`,
    );
  }
  if (optimization.includes("asymmetric") && type === "default") {
    reader.issues.warn(
      `${group}.optimization`,
      reader.at(group, "optimization"),
      "asymmetric has no effect with calibration_type default, which searches it",
    );
  }
  const preprocessOn = reader.flag(group, "preprocess_on", false);
  const goal = (name: "accuracy_target" | "latency_budget"): number | undefined => {
    const value = reader.number(group, name);
    if (value === undefined || type !== "skip") return value;
    reader.issues.warn(
      `${group}.${name}`,
      reader.at(group, name),
      "the value is not used because calibration_type skip has random data, which says nothing about accuracy",
    );
    return undefined;
  };
  const accuracyTarget = goal("accuracy_target"), latencyBudget = goal("latency_budget");
  return {
    type,
    maxPercentile: percentile ?? 1,
    perChannel,
    preprocessOn,
    optimization,
    ...(accuracyTarget === undefined ? {} : { accuracyTarget }),
    ...(latencyBudget === undefined ? {} : { latencyBudget }),
  };
}

/** compiler_parameters without input_source. */
export function readCompiler(reader: Reader, cores: number): CompilerParameters {
  const group = "compiler_parameters";
  const mode = (reader.choice(group, "compile_mode") ?? "latency") as CompilerParameters[
    "compileMode"
  ];
  const factor = reader.number(group, "balance_factor");
  if (factor !== undefined && factor !== 0 && mode !== "balance") {
    reader.issues.warn(
      `${group}.balance_factor`,
      reader.at(group, "balance_factor"),
      `the value is not used because compile_mode is ${mode}, not balance`,
    );
  }
  const coreNum = reader.number(group, "core_num") ?? 1;
  if (coreNum > cores) {
    reader.issues.error(
      `${group}.core_num`,
      reader.at(group, "core_num"),
      `${coreNum} cores are not supported on this march`,
      "1",
    );
  }
  const passed = /(?:^|\s)--(O[0-3])(?:\s|$)/.exec(
    reader.text(group, "hbdk_pass_through_params") ?? "",
  )?.[1];
  const jobs = reader.number(group, "jobs");
  return {
    compileMode: mode,
    balanceFactor: mode === "balance" ? factor : undefined,
    debug: reader.flag(group, "debug", true),
    coreNum,
    optimizeLevel: (reader.choice(group, "optimize_level") ?? passed ??
      "O0") as CompilerParameters["optimizeLevel"],
    maxTimePerFc: reader.number(group, "max_time_per_fc") ?? 0,
    jobs: jobs === 0 ? undefined : jobs,
    advice: reader.number(group, "advice") ?? 0,
  };
}

/** custom_op. */
export function readCustomOp(reader: Reader): Config["customOp"] {
  const files = reader.names("custom_op", "op_register_files");
  const method = reader.choice("custom_op", "custom_op_method");
  const dir = reader.word("custom_op", "custom_op_dir");
  return method === undefined || files.length === 0
    ? undefined
    : { method: "register", files, dir };
}

/** Whether anything asks for int16. */
export function wantsInt16(model: ModelParameters, optimization: readonly string[]): boolean {
  return optimization.some((o) => o.endsWith("int16")) ||
    model.nodeInfo.some((n) =>
      n.inputType === "int16" || n.outputType === "int16" ||
      [...n.inputTypes.values()].includes("int16")
    );
}
