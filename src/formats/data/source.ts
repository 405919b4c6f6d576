/**
 * Access to sample files, injected by the caller, and the order in which they are taken.
 *
 * @module
 */

import { BpuError, sentenceOf } from "../../errors.ts";
import { joinPath } from "../config/normalise.ts";

/** Reads folders and files. Paths are as the config has them, or as the caller resolved them. */
export interface FileSource {
  /** Names of the entries of a folder, in any order. Throws when it is not a folder. */
  list(dir: string): Promise<string[]>;
  /** The whole file. Throws when it is not a regular file. */
  read(path: string): Promise<Uint8Array>;
}

const LITTER = new Set(["Thumbs.db", "desktop.ini"]);

/**
 * The sample files of a folder: sorted by the bytes of their names (as `ls` does in the C locale),
 * without hidden files, the first `limit` of them.
 *
 * @throws {BpuError} `calibration` when the folder is missing, unreadable or empty.
 */
export async function sampleFiles(
  source: FileSource,
  dir: string,
  limit = Infinity,
): Promise<string[]> {
  let names: string[];
  try {
    names = await source.list(dir);
  } catch (cause) {
    throw new BpuError("calibration", `the calibration folder ${dir} cannot be read`, {
      file: dir,
      key: "calibration_parameters.cal_data_dir",
      hint: `Check cal_data_dir (${sentenceOf(cause)}).`,
      cause,
    });
  }
  const found = names.filter((n) => !n.startsWith(".") && !LITTER.has(n));
  if (found.length === 0) {
    throw new BpuError("calibration", `the calibration folder ${dir} is empty`, {
      file: dir,
      key: "calibration_parameters.cal_data_dir",
      hint: "Put samples of every input into its folder, 20 to 100 for real use.",
    });
  }
  return sortByBytes(found).slice(0, limit).map((n) => joinPath(dir, n));
}

/** Sorts by the UTF-8 bytes of the names: the same on every platform and in every locale. */
export function sortByBytes(names: readonly string[]): string[] {
  const encoder = new TextEncoder();
  const keyed = names.map((name) => ({ name, key: encoder.encode(name) }));
  keyed.sort((a, b) => {
    const n = Math.min(a.key.length, b.key.length);
    for (let i = 0; i < n; i++) if (a.key[i] !== b.key[i]) return a.key[i]! - b.key[i]!;
    return a.key.length - b.key.length;
  });
  return keyed.map((k) => k.name);
}

/**
 * Reads one sample file.
 *
 * @throws {BpuError} `calibration` naming the file.
 */
export async function readSample(source: FileSource, path: string): Promise<Uint8Array> {
  try {
    return await source.read(path);
  } catch (cause) {
    if (cause instanceof BpuError) throw cause;
    throw new BpuError("calibration", "this sample cannot be read", {
      file: path,
      hint: `A calibration folder holds regular files only (${sentenceOf(cause)}).`,
      cause,
    });
  }
}
