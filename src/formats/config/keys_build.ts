/**
 * Keys of calibration_parameters, compiler_parameters and custom_op.
 *
 * @module
 */

import type { KeySpec } from "./key_spec.ts";

const calibration = "calibration_parameters";
const compiler = "compiler_parameters";
const custom = "custom_op";

/** `optimization` values that are not patterns. */
export const optimizationNames = [
  "set_model_output_int8",
  "set_model_output_int16",
  "set_Softmax_input_int8",
  "set_Softmax_output_int8",
  "set_all_nodes_int16",
  "asymmetric",
  "bias_correction",
  "lstm_batch_last",
  "adaround",
] as const;

/** `set_{NodeKind}_input_int16` and `set_{NodeKind}_output_int16`. */
export const optimizationPattern = /^set_([A-Z][A-Za-z0-9]*)_(input|output)_int16$/;

/** Keys of calibration_parameters. */
export const calibrationKeys: readonly KeySpec[] = [
  {
    group: calibration,
    name: "cal_data_dir",
    kind: "path",
    perInput: true,
    required: {
      when: "calibration_type is neither load nor skip",
      holds: (l) =>
        !["load", "skip"].includes((l.text(calibration, "calibration_type") ?? "").toLowerCase()) &&
        !/run_fast/.test(l.text(calibration, "optimization") ?? ""),
    },
    doc: "Folders with the calibration samples.",
    sample: "'./calibration_data_rgb_f32'",
  },
  {
    group: calibration,
    name: "cal_data_type",
    kind: "choice",
    perInput: true,
    values: ["float32", "uint8", "int32", "int16", "int8"],
    default: "float32 for folders that end in _f32, else uint8",
    doc: "Element type of raw sample files; .npy files say it themselves.",
    sample: "'float32'",
  },
  {
    group: calibration,
    name: "preprocess_on",
    kind: "flag",
    default: "False",
    doc: "The samples are pictures: read and resize them to the input.",
    rule: "For 4-D image inputs only.",
    sample: "False",
  },
  {
    group: calibration,
    name: "calibration_type",
    kind: "choice",
    values: ["default", "mix", "kl", "max", "load", "skip"],
    default: "default",
    doc: "Method that finds the thresholds.",
    rule: "load takes them from a QAT model; skip is max on random data, for speed figures only.",
    sample: "'default'",
  },
  {
    group: calibration,
    name: "max_percentile",
    kind: "number",
    min: 0.5,
    max: 1,
    default: "1.0",
    doc: "Share of the values that the threshold of max keeps.",
    rule: "Works with calibration_type max only.",
  },
  {
    group: calibration,
    name: "per_channel",
    kind: "flag",
    default: "False",
    doc:
      "One threshold a channel of a feature map, where all readers can absorb it; its effect is measured.",
    rule:
      "Works with calibration_type max, kl and skip: default and mix search it themselves, load brings its scales.",
  },
  {
    group: calibration,
    name: "run_on_cpu",
    kind: "names",
    doc: "Nodes that run on the CPU.",
    rule: "Merged into node_info.",
    state: "deprecated",
  },
  {
    group: calibration,
    name: "run_on_bpu",
    kind: "names",
    doc: "Nodes that run on the BPU.",
    rule: "Merged into node_info.",
    state: "deprecated",
  },
  {
    group: calibration,
    name: "optimization",
    kind: "options",
    values: [
      "set_model_output_int8",
      "set_model_output_int16",
      "set_{NodeKind}_input_int16",
      "set_{NodeKind}_output_int16",
      "set_Softmax_input_int8",
      "set_Softmax_output_int8",
      "set_all_nodes_int16",
      "asymmetric",
      "bias_correction",
      "lstm_batch_last",
      "adaround",
    ],
    doc: "Options for accuracy and speed; NodeKind is an ONNX operator type such as Conv.",
    rule:
      "asymmetric has no effect with calibration_type default, which searches it. adaround rounds weights by their effect and is kept where that gains. lstm_batch_last has no effect. A type that a node cannot have is reported and int8 is used.",
  },
  {
    group: calibration,
    name: "accuracy_target",
    kind: "number",
    min: 1e-6,
    max: 1,
    doc:
      "Similarity of every output to the float model that int16 tensors are to reach; they are chosen by measurement.",
    rule: "Like --accuracy, which wins. Does not work with calibration_type skip.",
  },
  {
    group: calibration,
    name: "latency_budget",
    kind: "number",
    min: 1e-6,
    doc: "Most microseconds of the BPU part, by the estimate, when int16 tensors are chosen.",
    rule: "Like --latency-budget, which wins. Does not work with calibration_type skip.",
  },
  {
    group: calibration,
    name: "quant_config",
    kind: "any",
    doc: "Quantization settings as JSON in the following generation.",
    rule: "Ignored: use node_info and optimization.",
    state: "other",
  },
];

/** Keys of compiler_parameters. */
export const compilerKeys: readonly KeySpec[] = [
  {
    group: compiler,
    name: "compile_mode",
    kind: "choice",
    values: ["latency", "bandwidth", "balance"],
    forgiving: true,
    default: "latency",
    doc: "What the compiler optimises: time, memory traffic, or both.",
    sample: "'latency'",
  },
  {
    group: compiler,
    name: "balance_factor",
    kind: "integer",
    min: 0,
    max: 100,
    required: {
      when: "compile_mode is balance",
      holds: (l) => l.text(compiler, "compile_mode")?.toLowerCase() === "balance",
    },
    doc: "Weight of latency against bandwidth: 0 is like bandwidth, 100 is like latency.",
    rule: "Works with compile_mode balance only.",
  },
  {
    group: compiler,
    name: "debug",
    kind: "flag",
    default: "True",
    doc: "Stores the estimates of every layer in the .bin, for hb_perf.",
    sample: "True",
  },
  {
    group: compiler,
    name: "core_num",
    kind: "integer",
    min: 1,
    max: 2,
    default: "1",
    doc: "Cores that work on one inference.",
    rule: "1 only on bayes.",
  },
  {
    group: compiler,
    name: "optimize_level",
    kind: "choice",
    values: ["O0", "O1", "O2", "O3"],
    default: "O0",
    doc: "Effort of the compiler; O3 for real use.",
    sample: "'O3'",
  },
  {
    group: compiler,
    name: "input_source",
    kind: "sources",
    values: ["ddr", "pyramid", "resizer"],
    default: "pyramid for nv12 and gray, else ddr",
    doc: "Where the board takes each input from.",
    rule: "resizer works with nv12 and gray only, and not with layer_out_dump.",
  },
  {
    group: compiler,
    name: "max_time_per_fc",
    kind: "integer",
    min: 1000,
    max: 4294967295,
    orZero: true,
    default: "0",
    doc:
      "Longest time of one function call in microseconds, so that others can get in; 0 is no limit.",
  },
  {
    group: compiler,
    name: "jobs",
    kind: "integer",
    min: 0,
    max: 4096,
    default: "as many as the machine has",
    doc: "Workers of the compiler; 0 is the default.",
  },
  {
    group: compiler,
    name: "advice",
    kind: "integer",
    min: 0,
    max: 4294967295,
    default: "0",
    doc:
      "Reports operators that take this many microseconds longer than in theory, for example because of alignment; 0 is off.",
  },
  {
    group: compiler,
    name: "hbdk_pass_through_params",
    kind: "text",
    doc: "Flags for the compiler of the original tool.",
    rule: "--O0 to --O3 set optimize_level where that is not given; the rest is ignored.",
    state: "other",
  },
  {
    group: compiler,
    name: "cache_mode",
    kind: "text",
    doc: "Control of the compiler's cache in other generations.",
    rule: "Ignored: on bayes with O3 the cache is always on.",
    state: "other",
  },
  {
    group: compiler,
    name: "cache_path",
    kind: "text",
    doc: "Folder of the compiler's cache in other generations.",
    rule: "Ignored: the cache is cache.json in working_dir.",
    state: "other",
  },
  {
    group: compiler,
    name: "extra_params",
    kind: "any",
    doc: "Further flags for the compiler in other generations.",
    rule: "Ignored.",
    state: "other",
  },
];

/** Keys of custom_op. */
export const customKeys: readonly KeySpec[] = [
  {
    group: custom,
    name: "custom_op_method",
    kind: "choice",
    values: ["register"],
    required: {
      when: "op_register_files is given",
      holds: (l) => l.text(custom, "op_register_files") !== undefined,
    },
    doc: "How custom operators are found.",
  },
  {
    group: custom,
    name: "op_register_files",
    kind: "names",
    required: {
      when: "custom_op_method is given",
      holds: (l) => l.text(custom, "custom_op_method") !== undefined,
    },
    doc: "Files with the operators.",
  },
  {
    group: custom,
    name: "custom_op_dir",
    kind: "path",
    default: "the current folder",
    doc: "Folder of these files.",
  },
];
