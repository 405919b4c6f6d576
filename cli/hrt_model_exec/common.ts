/**
 * What the three sub-commands share: flags, files, first lines.
 *
 * @module
 */

import { membersOf } from "../../src/container/pack.ts";
import type { BinFile, Member } from "../../src/container/pack.ts";
import type { Command } from "../../src/deps.ts";
import { Option } from "../../src/deps.ts";
import { BpuError } from "../../src/errors.ts";
import type { Feeds } from "../../src/ir/engine.ts";
import type { Tensor } from "../../src/ir/tensor.ts";
import { randomRuntimeBytes, readRuntimeInput } from "../../src/run/runtime_input.ts";
import { fromRuntimeBytes } from "../../src/run/runtime_input.ts";
import type { ModelTensor } from "../../src/container/tensors.ts";
import { functionsOf } from "../../src/ops/functions.ts";
import { createFloatEngine } from "../../src/run/float.ts";
import type { FloatEngine } from "../../src/run/float.ts";
import { parseRois, resizerInput } from "../../src/run/resizer.ts";
import type { Roi } from "../../src/run/resizer.ts";
import { readOperatorFiles, withOperatorFiles } from "../custom_op_files.ts";
import { readFile } from "../files.ts";
import { parseBool, parseCount } from "../values.ts";

/** The models of all files of `--model_file`. Names must differ. */
export async function openFiles(paths: string): Promise<(Member & BinFile)[]> {
  const out = new Map<string, Member & BinFile>();
  for (const file of paths.split(",").map((p) => p.trim()).filter((p) => p !== "")) {
    const bytes = await readFile(file, "model");
    for (const m of await membersOf({ file, bytes })) {
      if (out.has(m.name)) {
        throw new BpuError("usage", `two models have the name ${m.name}`, { file });
      }
      out.set(m.name, { ...m, file });
    }
  }
  if (out.size === 0) throw new BpuError("usage", "--model_file names no file");
  return [...out.values()];
}

/** The model that is meant: by `--model_name`, or the only one. */
export function chooseModel(all: readonly (Member & BinFile)[], name: string | undefined) {
  const names = all.map((m) => m.name).join(", ");
  const found = name === undefined || name === ""
    ? (all.length === 1 ? all[0] : undefined)
    : all.find((m) => m.name === name);
  if (found === undefined) {
    throw new BpuError(
      "usage",
      name === undefined || name === ""
        ? `there are ${all.length} models, --model_name says which`
        : `there is no model ${name}`,
      { hint: `Models: ${names}.` },
    );
  }
  return found;
}

/** The first lines of every sub-command. */
export function headLines(all: readonly Member[], version: string, ms: number): string[] {
  return [
    `[DNN] Runtime version = ${version}_(bpukit)`,
    `Load model to DDR cost ${ms.toFixed(3)}ms.`,
    `This model file has ${all.length} model${all.length === 1 ? "" : "s"}:`,
    all.map((m) => `[${m.name}]`).join(" "),
    "-".repeat(69),
  ];
}

/** Flags of `infer` and `perf` that say what the inputs are and where the model runs. */
export interface RunFlags {
  readonly roi_infer?: boolean;
  readonly roi?: string;
  readonly input_img_properties?: string;
  readonly custom_op?: string;
}

/** Adds {@linkcode RunFlags} and those that are accepted, or refused with a reason, to a command. */
export function withRunFlags(c: Command): Command {
  const none = (flag: string, low: number, high: number) => (text: string) => {
    const v = parseCount(flag, low)(text);
    if (v <= high) return v;
    throw new BpuError("usage", `${flag} is ${low} to ${high}, not ${v}`);
  };
  const fixed = (flag: string) => () => {
    throw new BpuError("unsupported", `${flag} is for models with dynamic shapes or strides`, {
      hint: "The inputs of a bpukit .bin have one shape and lie densely; leave the flag out.",
    });
  };
  return c
    .option(
      "--roi_infer [bool]",
      "inputs of input_source resizer take a region of a picture",
      parseBool,
    )
    .option(
      "--roi <regions>",
      "left,top,right,bottom of every resizer input, separated by ; (the edges belong to the region)",
    )
    .option(
      "--input_img_properties <types>",
      "type of every picture input (Y, NV12, YUV444, RGB, BGR), separated by ,; checked against the model",
    )
    .option(
      "--custom_op <files>",
      "files with the model's custom operators (.ts, .js, .wasm), separated by ,",
    )
    .option(
      "--core_id <n>",
      "0 any, 1 and 2 one core; without effect: there are no BPU cores here",
      none("--core_id", 0, 2),
    )
    .option(
      "--priority <n>",
      "0 to 255; without effect: a command runs one model at a time",
      none("--priority", 0, 255),
    )
    .addOption(
      new Option("--input_valid_shape <shapes>").argParser(fixed("--input_valid_shape")).hideHelp(),
    )
    .addOption(
      new Option("--input_stride <strides>").argParser(fixed("--input_stride")).hideHelp(),
    );
}

const isPicture = (t: ModelTensor) => t.input !== undefined && t.input.typeRt !== "featuremap";

function checkProperties(text: string, inputs: readonly ModelTensor[]): void {
  const pictures = inputs.filter(isPicture);
  const given = text.split(",").map((w) => w.trim()).filter((w) => w !== "");
  if (given.length !== pictures.length) {
    throw new BpuError(
      "usage",
      `--input_img_properties names ${given.length} types, the model has ${pictures.length} picture inputs`,
      pictures.length === 0 ? {} : { hint: `They are ${pictures.map((t) => t.name).join(", ")}.` },
    );
  }
  for (const [i, t] of pictures.entries()) {
    const word = given[i]!.toUpperCase().replace(/^(HB_DNN_IMG_TYPE_|YUV_)/, "");
    if (word === t.type || (word === "GRAY" && t.type === "Y")) continue;
    throw new BpuError(
      "usage",
      `--input_img_properties says ${given[i]} for input ${t.name}, the model takes ${t.type}`,
      { tensor: t.name, hint: "The type is fixed when the model is converted: input_type_rt." },
    );
  }
}

/** Regions of the resizer inputs, by input. */
function regions(flags: RunFlags, inputs: readonly ModelTensor[]): Map<string, Roi> {
  const resizers = inputs.filter((t) => t.source === "resizer");
  const out = new Map<string, Roi>();
  if (flags.roi_infer !== true) {
    if (flags.roi === undefined) return out;
    throw new BpuError("usage", "--roi is given without --roi_infer", {
      hint: "Add --roi_infer true.",
    });
  }
  if (resizers.length === 0) {
    throw new BpuError("usage", "--roi_infer is for models with an input of input_source resizer", {
      hint: `Sources here: ${inputs.map((t) => `${t.name} ${t.source ?? "ddr"}`).join(", ")}.`,
    });
  }
  if (flags.roi === undefined) {
    throw new BpuError("usage", "--roi_infer needs --roi", {
      hint: 'For example: --roi "0,0,223,223".',
    });
  }
  const rois = parseRois(flags.roi);
  if (rois.length !== resizers.length) {
    throw new BpuError(
      "usage",
      `--roi has ${rois.length} regions, the model has ${resizers.length} resizer inputs`,
      { hint: "One region an input; run the command again for another one." },
    );
  }
  resizers.forEach((t, i) => out.set(t.name, rois[i]!));
  return out;
}

/**
 * The inputs of a run: a file an input, in the model's order; random data without files.
 *
 * @throws BpuError("usage") for another number of files, and for flags that do not fit the model
 */
export async function inputFeeds(
  inputs: readonly ModelTensor[],
  files: readonly string[] | undefined,
  flags: RunFlags = {},
): Promise<Feeds> {
  if (flags.input_img_properties !== undefined) checkProperties(flags.input_img_properties, inputs);
  const rois = regions(flags, inputs);
  if (files !== undefined && files.length !== inputs.length) {
    throw new BpuError(
      "usage",
      `the model has ${inputs.length} inputs, --input_file names ${files.length} files`,
      { hint: `Inputs, in order: ${inputs.map((i) => i.name).join(", ")}.` },
    );
  }
  const feeds = new Map<string, Tensor>();
  for (const [i, t] of inputs.entries()) {
    const file = files?.[i];
    const roi = rois.get(t.name);
    if (file === undefined) {
      feeds.set(t.name, fromRuntimeBytes(randomRuntimeBytes(t, i), t, "random data"));
      continue;
    }
    const bytes = await readFile(file, "input file");
    feeds.set(
      t.name,
      roi === undefined
        ? await readRuntimeInput(bytes, t, file)
        : await resizerInput(bytes, t, file, roi),
    );
  }
  return feeds;
}

/**
 * The engine of the CPU parts, with the operators of `--custom_op`. What they print goes to stderr: the
 * results on stdout are those of the command.
 */
export async function customEngine(list: string | undefined): Promise<FloatEngine> {
  const files = list === undefined ? undefined : await readOperatorFiles(list);
  const engine = createFloatEngine({ workers: 0, functions: functionsOf });
  return await withOperatorFiles(engine, files, (line) => console.error(line));
}

/** `a,b` as a list; undefined when not given. */
export const splitFiles = (text: string | undefined): string[] | undefined =>
  text === undefined ? undefined : text.split(",").map((p) => p.trim()).filter((p) => p !== "");
