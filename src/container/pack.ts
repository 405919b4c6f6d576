/**
 * Several models in one file, and single ones out of it.
 *
 * @module
 */

import { BpuError } from "../errors.ts";
import { readInfo } from "./bin.ts";
import { Reader } from "./codec.ts";
import { readSections, writeSections } from "./sections.ts";

/** A file in memory. */
export interface BinFile {
  readonly file: string;
  readonly bytes: Uint8Array;
}

/** One model of a file. */
export interface Member {
  readonly name: string;
  /** A whole `.bin`. */
  readonly bytes: Uint8Array;
}

const byName = (a: Member, b: Member) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0;

/**
 * Packs models into one file. The bytes do not depend on the order of the models.
 *
 * @throws BpuError("usage") for no model, a packed one, or two of one name; BpuError("format") for a
 * foreign or damaged file
 */
export async function packModels(files: readonly BinFile[]): Promise<Uint8Array> {
  if (files.length === 0) throw new BpuError("usage", "there is no model to pack");
  const origin = new Map<string, string>();
  const members: Member[] = [];
  for (const { file, bytes } of files) {
    const info = await readInfo(bytes, file);
    if (info["kind"] === "pack") {
      throw new BpuError(
        "usage",
        `model: ${file} is a packed model, it can not be packed again!`,
        { hint: "Extract its models with --extract and pack those." },
      );
    }
    const name = new Reader(file).text(info["name"], "the model name");
    const before = origin.get(name);
    if (before !== undefined) {
      throw new BpuError("usage", `${before} and ${file} hold models of one name, ${name}`, {
        hint: "Convert one of them with another output_model_file_prefix.",
      });
    }
    origin.set(name, file);
    members.push({ name, bytes });
  }
  members.sort(byName);
  const info = { kind: "pack", models: members.map((m) => m.name) };
  return writeSections([
    { name: "info", bytes: new TextEncoder().encode(JSON.stringify(info)) },
    ...members.map((m, i) => ({ name: `model.${i}`, bytes: m.bytes })),
  ]);
}

/** Whether a file is a packed one. Throws BpuError("format") for a foreign or damaged file. */
export async function isPacked({ file, bytes }: BinFile): Promise<boolean> {
  return (await readInfo(bytes, file))["kind"] === "pack";
}

/**
 * The models of a file, sorted by name: those of a packed one, or the model itself.
 *
 * @throws BpuError("format") for a foreign or damaged file
 */
export async function membersOf({ file, bytes }: BinFile): Promise<readonly Member[]> {
  const info = await readInfo(bytes, file);
  const r = new Reader(file);
  if (info["kind"] !== "pack") return [{ name: r.text(info["name"], "the model name"), bytes }];
  const sections = await readSections(bytes, file);
  return r.texts(info["models"], "models").map((name, i) => ({
    name,
    bytes: sections.get(`model.${i}`) ?? r.fail(`section model.${i}`),
  }));
}

/**
 * The one model of a file that is meant: by name, or the only one.
 *
 * @throws BpuError("usage") when the name is unknown, or missing where there are several models
 */
export async function selectModel(source: BinFile, name?: string): Promise<Member> {
  const all = await membersOf(source);
  const names = all.map((m) => m.name).join(", ");
  if (name === undefined) {
    if (all.length === 1) return all[0]!;
    throw new BpuError("usage", `${source.file} holds ${all.length} models: ${names}`, {
      hint: "Name one of them.",
    });
  }
  const found = all.find((m) => m.name === name);
  if (found === undefined) {
    throw new BpuError("usage", `there is no model ${name} in ${source.file}`, {
      hint: `It holds ${names}.`,
    });
  }
  return found;
}
