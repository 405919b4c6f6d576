/**
 * Folders that the user named.
 *
 * @module
 */

import { BpuError, sentenceOf } from "../src/errors.ts";

/** Whether a path is a folder. Throws BpuError("file") when there is nothing. */
export async function isFolder(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new BpuError("file", `${path} does not exist`, { hint: "Check the path." });
    }
    if (error instanceof Deno.errors.NotCapable) {
      throw new BpuError("file", `${path}: Deno was not allowed to access it`, {
        hint: "Add its folder to --allow-read.",
        cause: error,
      });
    }
    throw new BpuError("file", `${path}: ${sentenceOf(error)}`, { cause: error });
  }
}

/** Regular files under a folder by their path in it (`sub/y.bin`), sorted. Links are not followed. */
export async function listFiles(dir: string, prefix = ""): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const e of Deno.readDir(prefix === "" ? dir : `${dir}/${prefix}`)) {
      if (e.isDirectory) names.push(...await listFiles(dir, `${prefix}${e.name}/`));
      else if (e.isFile) names.push(`${prefix}${e.name}`);
    }
  } catch (error) {
    if (error instanceof BpuError) throw error;
    throw new BpuError("file", `folder ${dir}: ${sentenceOf(error)}`, { cause: error });
  }
  return names.sort((a, b) => a < b ? -1 : 1);
}
