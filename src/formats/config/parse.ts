/**
 * From the text of a yaml to a {@linkcode Config}.
 *
 * @module
 */

import { readInputs } from "./inputs.ts";
import { marchLimits } from "./input_rules.ts";
import { type ConfigIssue, Issues, suggest } from "./issues.ts";
import { type GroupName, keyPath } from "./key_spec.ts";
import { marches } from "./keys_model.ts";
import { type Groups, reportMissing, type Unknown } from "./missing.ts";
import { quote, Reader } from "./reader.ts";
import { allKeys, groups, keySpec } from "./schema.ts";
import { readCalibration, readCompiler, readCustomOp, readModel, wantsInt16 } from "./sections.ts";
import type { Config, March, ModelParameters, ModelType } from "./types.ts";
import { isNull, parseYaml, type Position, type YamlMap } from "./yaml.ts";

/** Options of {@linkcode parseConfig}. */
export interface ParseOptions {
  /** Name for messages. */
  readonly file: string;
  /** `--model-type`; without it the keys of the file decide. */
  readonly modelType?: ModelType;
  /**
   * The file is only looked at (`hb_mapper config --check`): a template that names neither a model nor a
   * march passes with warnings, because the command line of other commands gives both.
   */
  readonly template?: boolean;
}

/** What {@linkcode parseConfig} returns. */
export interface ParsedConfig {
  readonly config: Config;
  readonly warnings: readonly ConfigIssue[];
}

/**
 * Reads a config.
 *
 * @throws {BpuError} `config` (a {@linkcode ConfigError} with all problems, each `file:line:column:
 * group.key: what is wrong; allowed: ...`), `limit` for a file that is too large or too deep.
 *
 * @example
 * ```ts
 * import { parseConfig } from "./parse.ts";
 * const { config } = parseConfig(
 *   `model_parameters: {onnx_model: m.onnx, march: bayes}
 * input_parameters: {input_type_train: rgb, input_type_rt: nv12, input_layout_train: NCHW}
 * calibration_parameters: {cal_data_dir: ./cal_f32}
 * compiler_parameters:
 * `,
 *   { file: "config.yaml", modelType: "onnx" },
 * );
 * console.log(config.inputs[0]!.typeRt); // nv12
 * ```
 */
export function parseConfig(text: string, options: ParseOptions): ParsedConfig {
  const issues = new Issues(options.file);
  const found = readGroups(text, issues);
  const reader = new Reader(issues, found.maps);
  reader.modelType = options.modelType ?? guessModelType(reader, issues);
  reportMissing(reader, found, options.template === true);
  reportOther(reader);
  const march = readMarch(reader);
  const limits = marchLimits[march];
  const model = readModel(reader, march);
  const calibration = readCalibration(reader);
  const compiler = readCompiler(reader, limits.cores);
  const wantsData = calibration.type !== "load" && calibration.type !== "skip";
  const { inputs, sources } = readInputs(reader, limits, wantsData);
  const inputBatch = reader.number("input_parameters", "input_batch") ?? 1;
  checkTogether(reader, inputs, inputBatch, model);
  if (!limits.int16 && wantsInt16(model, calibration.optimization)) {
    issues.warn(
      "model_parameters.node_info",
      reader.at("model_parameters", "node_info"),
      `${march} has no int16; these nodes stay int8`,
    );
  }
  const customOp = readCustomOp(reader);
  issues.throwErrors();
  const config: Config = {
    file: options.file,
    modelType: reader.modelType,
    model,
    inputs,
    inputBatch,
    calibration,
    compiler,
    customOp,
    inputSources: sources,
    places: reader.places(),
  };
  return { config, warnings: issues.sorted(issues.warnings) };
}

/** Finds the groups; reports unknown groups and keys, and keys that stand twice. */
function readGroups(text: string, issues: Issues): Groups {
  const { root, duplicates } = parseYaml(text, issues.file);
  for (const d of duplicates) {
    issues.warn(
      d.key,
      d.second,
      `the key stands twice (first in line ${d.first.line}, column ${d.first.column}); this one counts`,
    );
  }
  const maps = new Map<GroupName, YamlMap>();
  const places = new Map<string, Position>();
  const unknown: Unknown[] = [];
  if (root !== undefined && root.kind !== "map" && !isNull(root)) {
    issues.error(undefined, root.at, "a config is a mapping of groups", groupNames());
  }
  for (const entry of root?.kind === "map" ? root.entries : []) {
    const group = groups.find((g) => g.name === entry.key);
    if (group === undefined) {
      reportUnknownGroup(entry.key, entry.keyAt, issues);
      unknown.push({ group: undefined, key: entry.key, at: entry.keyAt });
      continue;
    }
    places.set(group.name, entry.keyAt);
    if (entry.value.kind === "map") {
      maps.set(group.name, entry.value);
      for (const e of entry.value.entries) {
        if (keySpec(group.name, e.key) === undefined) {
          reportUnknownKey(group.name, e.key, e.keyAt, issues);
          unknown.push({ group: group.name, key: e.key, at: e.keyAt });
        }
      }
    } else if (isNull(entry.value)) {
      maps.set(group.name, { kind: "map", entries: [], at: entry.keyAt });
    } else {
      issues.error(group.name, entry.value.at, "the group is not a mapping of keys", "key: value");
    }
  }
  return { maps, places, unknown };
}

function groupNames(): string {
  return groups.map((g) => g.name).join(", ");
}

function reportUnknownGroup(key: string, at: Position, issues: Issues): void {
  const near = suggest(key, groups.map((g) => g.name));
  const owner = allKeys().find((k) => k.name === key);
  const hint = near !== undefined
    ? `; did you mean ${near}?`
    : owner !== undefined
    ? `; it belongs into ${owner.group} (indent it)`
    : "";
  issues.warn(key.slice(0, 80), at, `the group is not known and ignored${hint}`, groupNames());
}

function reportUnknownKey(group: GroupName, key: string, at: Position, issues: Issues): void {
  const own = groups.find((g) => g.name === group)!.keys;
  const owner = allKeys().find((k) => k.name === key);
  const near = suggest(key, own.map((k) => k.name)) ??
    suggest(key, allKeys().map((k) => k.name));
  const hint = owner !== undefined
    ? `; it belongs into ${owner.group}`
    : near === undefined
    ? ""
    : `; did you mean ${near}?`;
  issues.warn(`${group}.${key.slice(0, 80)}`, at, `the key is not known and ignored${hint}`);
}

function guessModelType(reader: Reader, issues: Issues): ModelType {
  const onnx = reader.text("model_parameters", "onnx_model") !== undefined;
  const caffe = reader.text("model_parameters", "caffe_model") !== undefined ||
    reader.text("model_parameters", "prototxt") !== undefined;
  if (onnx && caffe) {
    issues.warn(
      "model_parameters.caffe_model",
      reader.at("model_parameters", "caffe_model"),
      "both a Caffe and an ONNX model are given; --model-type decides, here onnx is taken",
    );
  }
  if (onnx || caffe) return onnx ? "onnx" : "caffe";
  // Nothing is filled in: the keys that stand there, even empty, tell which template it is.
  const has = (key: string) => reader.at("model_parameters", key) !== undefined;
  return !has("onnx_model") && (has("caffe_model") || has("prototxt")) ? "caffe" : "onnx";
}

/** Explains deprecated keys and keys of other generations. */
function reportOther(reader: Reader): void {
  for (const spec of allKeys()) {
    if (spec.state === undefined || reader.node(spec.group, spec.name) === undefined) continue;
    const kind = spec.state === "deprecated" ? "deprecated key" : "key of another tool generation";
    reader.issues.warn(
      keyPath(spec),
      reader.at(spec.group, spec.name),
      `${kind}. ${spec.rule ?? ""}`,
    );
  }
  if (reader.flag("input_parameters", "separate_batch", false)) {
    reader.issues.error(
      "input_parameters.separate_batch",
      reader.at("input_parameters", "separate_batch"),
      "True is not supported: every input has one address",
      "False",
    );
  }
}

function readMarch(reader: Reader): March {
  const item = reader.one("model_parameters", "march");
  if (item === undefined) return "bayes";
  const at = item.at;
  const text = item.text.toLowerCase();
  if (text === "bayes2") {
    reader.issues.warn(
      "model_parameters.march",
      at,
      "'bayes2' is not a march; it is read as bayes",
    );
    return "bayes";
  }
  const wrong = (why: string) =>
    reader.issues.error("model_parameters.march", at, why, marches.join(", "));
  if (/^nash/.test(text)) {
    wrong(
      `${quote(item.text)} is the J6 generation, whose tool is hb_compile; it is not supported`,
    );
    return "bayes";
  }
  if (text === "bernoulli") {
    wrong("'bernoulli' is the X2 generation and not supported; X3 and J3 are bernoulli2");
    return "bayes";
  }
  return (reader.choose("model_parameters", "march", item) ?? "bayes") as March;
}

function checkTogether(
  reader: Reader,
  inputs: Config["inputs"],
  batch: number,
  model: ModelParameters,
): void {
  const place = reader.at("compiler_parameters", "input_source");
  if (model.layerOutDump && inputs.some((i) => i.inputSource === "resizer")) {
    reader.issues.error(
      "compiler_parameters.input_source",
      place,
      "resizer does not work together with layer_out_dump True",
    );
  }
  const first = inputs.find((i) => i.shape !== undefined && i.shape[0] !== 1 && i.shape[0] !== -1);
  if (batch > 1 && first !== undefined) {
    reader.issues.error(
      "input_parameters.input_batch",
      reader.at("input_parameters", "input_batch"),
      `input_batch ${batch} needs a first dimension of 1, input_shape is ${first.shape!.join("x")}`,
    );
  }
}
