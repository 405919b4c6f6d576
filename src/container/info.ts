/**
 * The text of `hb_model_info`: what a model was made from, in the original's blocks.
 *
 * @module
 */

import { BpuError } from "../errors.ts";
import { shapeText } from "../ir/tensor.ts";
import type { TensorType } from "../ir/tensor.ts";
import { Reader } from "./codec.ts";
import type { Json } from "./codec.ts";
import { recordsOf, scaleInfo } from "./deleted.ts";
import type { Deleted } from "./deleted.ts";
import { tensorsOf } from "./tensors.ts";
import type { ModelTensor } from "./tensors.ts";

type Info = { readonly [k: string]: Json };

/** Numbers of `InputDataType`. F32, NV12 and RGB are those of public logs, the others are ours. */
const typeNumbers: ReadonlyMap<string, number> = new Map([
  ["S8", 0],
  ["U8", 1],
  ["S16", 2],
  ["S32", 3],
  ["S64", 4],
  ["F32", 5],
  ["Y", 6],
  ["NV12", 7],
  ["YUV444", 8],
  ["BGR", 9],
  ["RGB", 10],
]);

/** A value as Python prints it. */
function python(v: Json | undefined): string {
  if (v === null || v === undefined) return "None";
  if (v === true) return "True";
  if (v === false) return "False";
  if (Array.isArray(v)) return v.map(python).join(", ");
  return typeof v === "object" ? JSON.stringify(v) : String(v);
}

const real = (v: number) => Number.isInteger(v) ? v.toFixed(1) : String(v);
const row = (name: string, value: string) => `${name.padEnd(20)}: ${value}`;

/** The options that the original's compiler would get for this configuration. */
export function compilerOptions(compiler: Info): string {
  const mode = compiler["compile_mode"];
  const out = [`--${python(compiler["optimize_level"])}`];
  if (compiler["debug"] === true) out.push("--debug");
  out.push(`--core-num ${python(compiler["core_num"])}`);
  if (mode === "bandwidth") out.push("--ddr");
  else if (mode === "balance") out.push(`--balance ${python(compiler["balance_factor"])}`);
  else out.push("--fast");
  for (
    const [key, flag] of [["jobs", "jobs"], ["max_time_per_fc", "max-time-per-fc"], [
      "advice",
      "advice",
    ]] as const
  ) {
    const v = compiler[key];
    if (typeof v === "number" && v > 0) out.push(`--${flag} ${v}`);
  }
  return out.join(" ");
}

function inputLines(i: Info): string[] {
  const list = (key: string) => {
    const v = i[key];
    if (!Array.isArray(v) || v.length === 0) return [];
    return [row(key, v.map((x) => `${real(Number(x))},`).join(""))];
  };
  const name = python(i["input_name"]);
  const shape = i["input_shape"];
  const dir = i["cal_data_dir"];
  const rule = "-".repeat(42);
  return [
    rule,
    `---------input info : ${name} ---------`,
    row("input_name", name),
    row("input_type_rt", python(i["input_type_rt"])),
    row("input_space&range", python(i["input_space_and_range"])),
    row("input_layout_rt", python(i["input_layout_rt"])),
    row("input_type_train", python(i["input_type_train"])),
    row("input_layout_train", python(i["input_layout_train"])),
    row("norm_type", python(i["norm_type"])),
    row("input_shape", Array.isArray(shape) ? shapeText(shape as number[]) : "None"),
    ...list("mean_value"),
    ...list("scale_value"),
    ...(dir === null || dir === undefined ? [] : [
      row("cal_data_dir", python(dir)),
      row("cal_data_type", python(i["cal_data_type"])),
    ]),
    `---------input info : ${name} end -------`,
    rule,
  ];
}

/** A list of at most eight numbers, the rest counted. */
function short(values: ArrayLike<number>): string {
  const shown = Array.from({ length: Math.min(8, values.length) }, (_, i) => String(values[i]));
  return `[${shown.join(", ")}${values.length > 8 ? `, ... ${values.length} values` : ""}]`;
}

function tensorLine(side: string, t: ModelTensor): string {
  const parts = [
    `type ${t.type}`,
    `layout ${t.layout}`,
    `valid shape ${shapeText(t.validShape)}`,
    `aligned shape ${shapeText(t.alignedShape)}`,
    `aligned byte size ${t.byteSize}`,
  ];
  if (t.scale !== undefined) {
    parts.push(`scale ${short(t.scale.values)}`, `zero point ${t.scale.zero}`);
    if (t.scale.axis !== undefined) parts.push(`quantize axis ${t.scale.axis}`);
  }
  return row(`${side} ${t.name}`, parts.join(", "));
}

const typesText = (all: readonly ModelTensor[]) =>
  `[${all.map((t) => `<InputDataType.${t.type}: ${typeNumbers.get(t.type) ?? 11}>`).join(", ")}]`;

/**
 * The blocks of a model as lines.
 *
 * @param info the info section of a single model
 * @throws BpuError("format") for a packed file or a malformed section
 */
export function infoLines(info: Info, file: string): string[] {
  const r = new Reader(file);
  if (info["kind"] !== "model") {
    throw new BpuError("format", "this is a packed model, not a single one", {
      file,
      hint: "Name one of its models with -m.",
    });
  }
  const version = r.text(info["version"], "version");
  const config = r.record(info["config"], "config");
  const group = (name: string) => r.record(config[name], name);
  const model = group("model_parameters");
  const calibration = group("calibration_parameters");
  const compiler = group("compiler_parameters");
  const inputs = r.list(group("input_parameters")["inputs"], "inputs").map((v) =>
    r.record(v, "inputs")
  );
  const batch = group("input_parameters")["input_batch"];
  const given = (key: string) => {
    const v = model[key];
    return Array.isArray(v) && v.length > 0 ? [row(key, python(v))] : [];
  };
  const nodeInfo = r.list(model["node_info"], "node_info");
  const tensors = tensorsOf(info, file);
  const lines = [
    `******** ${r.text(info["name"], "name")} info *********`,
    "############# model deps info #############",
    // One toolchain, one version: bpukit is converter, compiler and runtime.
    row("hb_mapper version", version),
    row("hbdk version", version),
    row("hbdk runtime version", version),
    row("horizon_nn version", version),
    "############# model_parameters info #############",
    ...(config["model_type"] === "caffe"
      ? [
        row("caffe_model", python(model["caffe_model"])),
        row("prototxt", python(model["prototxt"])),
      ]
      : [row("onnx_model", python(model["onnx_model"]))]),
    row("BPU march", python(model["march"])),
    row("layer_out_dump", python(model["layer_out_dump"])),
    row("working dir", python(model["working_dir"])),
    `output_model_file_prefix: ${python(model["output_model_file_prefix"])}`,
    ...given("output_nodes"),
    ...given("remove_node_type"),
    ...given("remove_node_name"),
    ...(nodeInfo.length > 0 ? [row("node_info", JSON.stringify(nodeInfo))] : []),
    "############# input_parameters info #############",
    ...(typeof batch === "number" && batch > 1 ? [row("input_batch", String(batch))] : []),
    ...inputs.flatMap(inputLines),
    "############# calibration_parameters info #############",
    row("preprocess_on", python(calibration["preprocess_on"])),
    row("calibration_type", python(calibration["calibration_type"])),
    ...optional(calibration),
    row("per_channel", python(calibration["per_channel"])),
    "############# compiler_parameters info #############",
    row("debug", python(compiler["debug"])),
    row("compile_mode", python(compiler["compile_mode"])),
    `hbdk_pass_through_params: ${compilerOptions(compiler)}`,
    row(
      "input-source",
      `{${
        [
          ...inputs.map((i) => `'${python(i["input_name"])}': '${python(i["input_source"])}'`),
          "'_default_value': 'ddr'",
        ].join(", ")
      }}`,
    ),
    "--------- input/output types -",
    row("model input types", typesText(tensors.inputs)),
    row("model output types", typesText(tensors.outputs)),
    ...tensors.inputs.map((t) => tensorLine("input", t)),
    ...tensors.outputs.map((t) => tensorLine("output", t)),
  ];
  const deleted = recordsOf(info, file);
  if (deleted.length > 0) {
    lines.push("--------- deleted nodes -");
    lines.push(...deleted.map((d) => `deleted nodes: ${d.node.name}`));
  }
  return lines;
}

function optional(calibration: Info): string[] {
  const out: string[] = [];
  const percentile = calibration["max_percentile"];
  if (calibration["calibration_type"] === "max" && typeof percentile === "number") {
    out.push(row("max_percentile", real(percentile)));
  }
  const options = calibration["optimization"];
  if (Array.isArray(options) && options.length > 0) {
    out.push(row("optimization", `${options.join(",")};`));
  }
  return out;
}

/** One line of `deleted_nodes_info.txt`: type, scale and zero point of a removed node. */
export function deletedLine(d: Deleted): string {
  const s = scaleInfo(d);
  const text = (t: TensorType) => `${shapeText(t.shape)} ${t.dtype}`;
  const [from, to] = d.side === "input" ? [d.portType, d.innerType] : [d.innerType, d.portType];
  const parts = [`type: ${d.type}`, `${d.side}: ${d.port}`, `shape: ${text(from)} -> ${text(to)}`];
  if (s !== undefined) {
    parts.push(`scale: [${Array.from(s.scale).join(", ")}]`, `zero point: ${s.zero}`);
  }
  for (const key of ["qmin", "qmax", "perm", "axis"]) {
    const a = d.node.attrs.get(key);
    if (a?.type === "int" || a?.type === "ints") parts.push(`${key}: ${JSON.stringify(a.value)}`);
  }
  return `${d.node.name}: ${parts.join("; ")}`;
}

/** The text of `deleted_nodes_info.txt`; empty when nothing was removed. */
export function deletedText(info: Info, file: string): string {
  return recordsOf(info, file).map((d) => `${deletedLine(d)}\n`).join("");
}
