/**
 * File access of the commands: whole-or-not-at-all writes, calibration folders, external tensor data
 * that may not leave the model's folder.
 *
 * @module
 */

import { BpuError, sentenceOf } from "../src/errors.ts";
import type { FileSource } from "../src/formats/data/mod.ts";

/** Joins a folder and a name with a single slash. */
export function join(dir: string, name: string): string {
  return dir === "" ? name : `${dir.replace(/\/+$/, "")}/${name}`;
}

/** Folder of a path; `.` when it has none. */
export function dirname(path: string): string {
  const i = path.lastIndexOf("/");
  return i < 0 ? "." : i === 0 ? "/" : path.slice(0, i);
}

/** Reads a file that the user named. Throws BpuError("file") with what is wrong. */
export async function readFile(path: string, what: string): Promise<Uint8Array> {
  try {
    const info = await Deno.stat(path);
    if (info.isDirectory) {
      throw new BpuError("file", `${what} ${path} is a folder, not a file`);
    }
    return await Deno.readFile(path);
  } catch (error) {
    throw fileError(error, `${what} ${path}`);
  }
}

/** Reads a text file (UTF-8, a byte order mark is dropped). */
export async function readText(path: string, what: string): Promise<string> {
  const bytes = await readFile(path, what);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new BpuError("format", `${what} ${path} is not UTF-8 text`, {
      cause,
      hint: encodingHint(bytes),
    });
  }
}

/** Says how a text is encoded, or which line has the first byte that UTF-8 does not know. */
function encodingHint(bytes: Uint8Array): string {
  const mark = bytes[0] === 0xff && bytes[1] === 0xfe || bytes[0] === 0xfe && bytes[1] === 0xff;
  if (mark) return "It is UTF-16: save it as UTF-8.";
  const before = new TextDecoder().decode(bytes).split("\ufffd", 1)[0]!;
  return `Save it as UTF-8; the first other byte is in line ${before.split("\n").length}.`;
}

function fileError(error: unknown, what: string): BpuError {
  if (error instanceof BpuError) return error;
  if (error instanceof Deno.errors.NotFound) {
    return new BpuError("file", `${what} does not exist`, { hint: "Check the path." });
  }
  if (error instanceof Deno.errors.NotCapable) {
    // Deno says which access it is.
    const access = /\b(read|write) access\b/.exec(error.message)?.[1];
    return new BpuError("file", `${what}: Deno was not allowed to ${access ?? "access"} it`, {
      hint: access === undefined
        ? "Add its folder to --allow-read, or that of the results to --allow-write."
        : `Add its folder to --allow-${access}.`,
      cause: error,
    });
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return new BpuError("file", `${what}: permission denied by the system`, { cause: error });
  }
  return new BpuError("file", `${what}: ${sentenceOf(error)}`, { cause: error });
}

/** Makes a folder and its parents. */
export async function makeFolder(path: string): Promise<void> {
  try {
    await Deno.mkdir(path, { recursive: true });
  } catch (error) {
    throw fileError(error, `folder ${path}`);
  }
}

/** What an interrupted run must not leave behind, of all writes that are under way. */
const unfinished = new Set<string>();

function remove(paths: Iterable<string>): void {
  for (const path of paths) {
    unfinished.delete(path);
    try {
      Deno.removeSync(path, { recursive: true });
    } catch {
      // Not written yet, or gone already.
    }
  }
}

/**
 * Runs `body` so that the temporary paths it announces are gone when it fails or the user interrupts it.
 * Several may run at a time; each removes its own.
 */
export async function withTemporaries<T>(
  body: (announce: (path: string) => void) => Promise<T>,
): Promise<T> {
  const signals: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];
  const stop = () => {
    remove([...unfinished]);
    Deno.exit(130);
  };
  const mine = new Set<string>();
  for (const s of signals) Deno.addSignalListener(s, stop);
  try {
    return await body((path) => {
      mine.add(path);
      unfinished.add(path);
    });
  } finally {
    remove(mine);
    for (const s of signals) Deno.removeSignalListener(s, stop);
  }
}

/**
 * Writes files into a folder: all under temporary names first, then renamed at once, so that a failed
 * or interrupted run leaves none of them half-written.
 */
export async function writeFiles(
  dir: string,
  files: ReadonlyMap<string, Uint8Array>,
): Promise<string[]> {
  await makeFolder(dir);
  const pending: [string, string][] = [];
  try {
    await withTemporaries(async (announce) => {
      for (const [name, bytes] of files) {
        const path = join(dir, name), temporary = `${path}.tmp`;
        pending.push([temporary, path]);
        announce(temporary);
        await Deno.writeFile(temporary, bytes);
      }
      // No signal can come between these: the files of one run appear together.
      for (const [from, to] of pending) Deno.renameSync(from, to);
    });
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable && /\bread access\b/.test(error.message)) {
      throw new BpuError("file", `folder ${dir}: Deno was not allowed to rename files in it`, {
        hint: "Add it to --allow-read as well: results get their names when they are complete.",
        cause: error,
      });
    }
    throw fileError(error, `folder ${dir}`);
  }
  return pending.map(([, path]) => path);
}

/** A folder or file name that stays inside its folder: separators and leading dots become `_`. */
export function safeName(name: string): string {
  return name.replace(/[/\\\0]/g, "_").replace(/^\.+/, (dots) => "_".repeat(dots.length));
}

/** Calibration folders on disk. */
export const fileSource: FileSource = {
  async list(dir) {
    const names: string[] = [];
    for await (const e of Deno.readDir(dir)) if (!e.isDirectory) names.push(e.name);
    return names;
  },
  async read(path) {
    const info = await Deno.stat(path);
    if (!info.isFile) throw new Error("not a regular file");
    return await Deno.readFile(path);
  },
};

/**
 * Resolver of a model's external data: only regular files inside the model's own folder, no links.
 * The loader has already refused absolute paths and `..`.
 */
export function externalData(model: string): (location: string) => Uint8Array {
  const dir = dirname(model);
  return (location) => {
    const path = join(dir, location);
    try {
      const info = Deno.lstatSync(path);
      if (!info.isFile) {
        throw new BpuError("file", `external data ${location} is not a regular file`, {
          file: model,
          hint: "Links are not followed; copy the file beside the model.",
        });
      }
      const root = Deno.realPathSync(dir), real = Deno.realPathSync(path);
      if (!real.startsWith(root.endsWith("/") ? root : `${root}/`)) {
        throw new BpuError("file", `external data ${location} lies outside the model's folder`, {
          file: model,
        });
      }
      return Deno.readFileSync(path);
    } catch (error) {
      throw fileError(error, `external data ${location} of ${model}`);
    }
  };
}
