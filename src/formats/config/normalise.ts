/**
 * A config as plain JSON, and its paths resolved.
 *
 * @module
 */

import type { Config, InputConfig } from "./types.ts";

/** A JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | {
  readonly [k: string]: Json;
};

/**
 * The normalised config for `hb_mapper config --check`: every key of the schema with its value, defaults
 * filled in, null for what stays open. Names from the file appear as values only.
 */
export function normalisedJson(config: Config): { readonly [k: string]: Json } {
  const { model, calibration, compiler, customOp } = config;
  const open = (v: string | number | undefined): Json => v ?? null;
  return {
    model_type: config.modelType,
    model_parameters: {
      onnx_model: open(model.onnxModel),
      caffe_model: open(model.caffeModel),
      prototxt: open(model.prototxt),
      march: model.march,
      output_model_file_prefix: model.outputModelFilePrefix,
      working_dir: model.workingDir,
      layer_out_dump: model.layerOutDump,
      output_nodes: [...model.outputNodes],
      remove_node_type: [...model.removeNodeType],
      remove_node_name: [...model.removeNodeName],
      debug_mode: model.dumpCalibrationData ? ["dump_calibration_data"] : [],
      node_info: model.nodeInfo.map((n) => ({
        name: n.name,
        ON: open(n.on),
        InputType: open(n.inputType),
        inputs: [...n.inputTypes].map(([index, type]) => ({ index, type })),
        OutputType: open(n.outputType),
      })),
    },
    input_parameters: {
      input_batch: config.inputBatch,
      inputs: config.inputs.map(inputJson),
    },
    calibration_parameters: {
      calibration_type: calibration.type,
      max_percentile: calibration.maxPercentile,
      per_channel: calibration.perChannel,
      preprocess_on: calibration.preprocessOn,
      optimization: [...calibration.optimization],
      ...(calibration.accuracyTarget === undefined
        ? {}
        : { accuracy_target: calibration.accuracyTarget }),
      ...(calibration.latencyBudget === undefined
        ? {}
        : { latency_budget: calibration.latencyBudget }),
    },
    compiler_parameters: {
      compile_mode: compiler.compileMode,
      balance_factor: open(compiler.balanceFactor),
      debug: compiler.debug,
      core_num: compiler.coreNum,
      optimize_level: compiler.optimizeLevel,
      max_time_per_fc: compiler.maxTimePerFc,
      jobs: open(compiler.jobs),
      advice: compiler.advice,
      input_source: [...config.inputSources].map(([input, source]) => ({ input, source })),
    },
    custom_op: customOp === undefined ? null : {
      custom_op_method: customOp.method,
      op_register_files: [...customOp.files],
      custom_op_dir: open(customOp.dir),
    },
  };
}

function inputJson(i: InputConfig): Json {
  return {
    input_name: i.name ?? null,
    input_shape: i.shape === undefined ? null : [...i.shape],
    input_type_train: i.typeTrain,
    input_layout_train: i.layoutTrain,
    input_type_rt: i.typeRt,
    input_layout_rt: i.layoutRt ?? null,
    input_space_and_range: i.spaceAndRange,
    norm_type: i.norm.type,
    mean_value: [...i.norm.mean],
    scale_value: [...i.norm.scale],
    cal_data_dir: i.calDataDir ?? null,
    cal_data_type: i.calDataType,
    input_source: i.inputSource,
  };
}

/**
 * Resolves the paths of a config against a folder (the original tool takes the current one). Absolute
 * paths stay. Works on strings only: nothing is looked up.
 */
export function resolvePaths<C extends Config>(config: C, base: string): C {
  const to = (path: string) => joinPath(base, path);
  const maybe = (path: string | undefined) => path === undefined ? undefined : to(path);
  const { model, customOp } = config;
  return {
    ...config,
    model: {
      ...model,
      onnxModel: maybe(model.onnxModel),
      caffeModel: maybe(model.caffeModel),
      prototxt: maybe(model.prototxt),
      workingDir: to(model.workingDir),
    },
    inputs: config.inputs.map((i) => ({ ...i, calDataDir: maybe(i.calDataDir) })),
    customOp: customOp === undefined ? undefined : { ...customOp, dir: to(customOp.dir ?? ".") },
  };
}

/** Joins and simplifies (`.`, `..`, double slashes); an absolute `path` wins. */
export function joinPath(base: string, path: string): string {
  const absolute = /^([A-Za-z]:)?[\\/]/.test(path);
  const whole = (absolute ? path : `${base}/${path}`).replaceAll("\\", "/");
  const root = /^([A-Za-z]:)?\//.exec(whole)?.[0] ?? "";
  const parts: string[] = [];
  for (const part of whole.slice(root.length).split("/")) {
    if (part === "" || part === ".") continue;
    if (part === ".." && parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else if (part !== ".." || root === "") parts.push(part);
  }
  return root + parts.join("/") || ".";
}
