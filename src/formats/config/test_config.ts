/**
 * A config with every current key, for tests: one key a line.
 *
 * @module
 */

import { ConfigError, type ConfigIssue } from "./issues.ts";
import { parseConfig, type ParsedConfig, type ParseOptions } from "./parse.ts";

/** Values by group and key, all right for one nv12 input. */
export const goodValues: readonly (readonly [string, readonly (readonly [string, string])[]])[] = [
  ["model_parameters", [
    ["onnx_model", "./m.onnx"],
    ["march", "bayes"],
    ["output_model_file_prefix", "m"],
    ["working_dir", "out"],
    ["layer_out_dump", "False"],
    ["output_nodes", "a;b"],
    ["remove_node_type", "Dequantize;Transpose"],
    ["remove_node_name", "x"],
    ["debug_mode", "dump_calibration_data"],
    ["node_info", "{c: {'ON': 'BPU'}}"],
  ]],
  ["input_parameters", [
    ["input_name", "data"],
    ["input_type_train", "rgb"],
    ["input_layout_train", "NCHW"],
    ["input_type_rt", "nv12"],
    ["input_layout_rt", "NHWC"],
    ["input_space_and_range", "regular"],
    ["input_shape", "1x3x224x224"],
    ["input_batch", "2"],
    ["norm_type", "data_mean_and_scale"],
    ["mean_value", "1 2 3"],
    ["scale_value", "0.5"],
  ]],
  ["calibration_parameters", [
    ["cal_data_dir", "./cal_f32"],
    ["cal_data_type", "float32"],
    ["preprocess_on", "False"],
    ["calibration_type", "max"],
    ["max_percentile", "0.9999"],
    ["accuracy_target", "0.99"],
    ["latency_budget", "1500"],
    ["per_channel", "True"],
    ["optimization", "set_Conv_input_int16"],
  ]],
  ["compiler_parameters", [
    ["compile_mode", "balance"],
    ["balance_factor", "40"],
    ["debug", "True"],
    ["core_num", "1"],
    ["optimize_level", "O3"],
    ["input_source", "{data: pyramid}"],
    ["max_time_per_fc", "1000"],
    ["jobs", "4"],
    ["advice", "5"],
  ]],
  ["custom_op", [
    ["custom_op_method", "register"],
    ["op_register_files", "a.ts"],
    ["custom_op_dir", "ops"],
  ]],
];

/** Where a line of {@linkcode render} stands. */
export interface Rendered {
  readonly text: string;
  /** Line of `group.key`, 1-based. */
  readonly lines: ReadonlyMap<string, number>;
}

/** The text of the good config, with values replaced (undefined removes the key) or keys renamed. */
export function render(
  values: Readonly<Record<string, string | undefined>> = {},
  names: Readonly<Record<string, string>> = {},
): Rendered {
  const out: string[] = [];
  const lines = new Map<string, number>();
  for (const [group, keys] of goodValues) {
    out.push(`${group}:`);
    for (const [key, good] of keys) {
      const path = `${group}.${key}`;
      const value = path in values ? values[path] : good;
      if (value === undefined) continue;
      out.push(`  ${names[path] ?? key}: ${value}`);
      lines.set(path, out.length);
    }
  }
  return { text: out.join("\n") + "\n", lines };
}

/** Parses with a fixed file name. */
export function parse(text: string, options: Partial<ParseOptions> = {}): ParsedConfig {
  return parseConfig(text, { file: "c.yaml", ...options });
}

/** The issues of a refused config. */
export function errorsOf(
  text: string,
  options: Partial<ParseOptions> = {},
): readonly ConfigIssue[] {
  try {
    parse(text, options);
  } catch (e) {
    if (e instanceof ConfigError) return e.issues;
    throw e;
  }
  return [];
}
