/**
 * What the three sub-commands share: flags, files, first lines.
 *
 * @module
 */

import { membersOf } from "../../src/container/pack.ts";
import type { BinFile, Member } from "../../src/container/pack.ts";
import { BpuError } from "../../src/errors.ts";
import type { Feeds } from "../../src/ir/engine.ts";
import type { Tensor } from "../../src/ir/tensor.ts";
import { randomRuntimeBytes, readRuntimeInput } from "../../src/run/runtime_input.ts";
import { fromRuntimeBytes } from "../../src/run/runtime_input.ts";
import type { ModelTensor } from "../../src/container/tensors.ts";
import { readFile } from "../files.ts";

/** `true`, `1` (or nothing behind the flag), `false`, `0`. */
export function parseBool(text: string | boolean): boolean {
  if (typeof text === "boolean") return text;
  if (/^(true|t|yes|y|1)$/i.test(text)) return true;
  if (/^(false|f|no|n|0)$/i.test(text)) return false;
  throw new BpuError("usage", `'${text}' is neither true nor false`);
}

/** A whole number from `min` up. */
export function parseCount(flag: string, min: number): (text: string) => number {
  return (text) => {
    const v = Number(text);
    if (text.trim() === "" || !Number.isSafeInteger(v) || v < min) {
      throw new BpuError("usage", `${flag} takes a whole number from ${min} up, not '${text}'`);
    }
    return v;
  };
}

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

/**
 * The inputs of a run: a file an input, in the model's order; random data without files.
 *
 * @throws BpuError("usage") for another number of files
 */
export async function inputFeeds(
  inputs: readonly ModelTensor[],
  files: readonly string[] | undefined,
): Promise<Feeds> {
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
    feeds.set(
      t.name,
      file === undefined
        ? fromRuntimeBytes(randomRuntimeBytes(t, i), t, "random data")
        : await readRuntimeInput(await readFile(file, "input file"), t, file),
    );
  }
  return feeds;
}

/** `a,b` as a list; undefined when not given. */
export const splitFiles = (text: string | undefined): string[] | undefined =>
  text === undefined ? undefined : text.split(",").map((p) => p.trim()).filter((p) => p !== "");
