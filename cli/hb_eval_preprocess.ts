/**
 * `hb_eval_preprocess`: prepares the pictures of an evaluation for a named model.
 *
 *     deno run --allow-read=IMAGES,val.txt,OUT --allow-write=OUT cli/hb_eval_preprocess.ts -m mobilenetv1 -i IMAGES -v val.txt -o OUT
 *
 * @module
 */

import type { Command } from "../src/deps.ts";
import { BpuError, sentenceOf } from "../src/errors.ts";
import {
  chainOf,
  type ListedPicture,
  modelChains,
  openPicturePool,
  outputName,
  parsePictureList,
  pictureEndings,
  type PicturePool,
} from "../src/formats/preprocess/mod.ts";
import { main, tool } from "./app.ts";
import { dirname, join, makeFolder, readText, writeFiles } from "./files.ts";
import { isFolder } from "./folders.ts";
import { progress } from "./log.ts";
import { parseCount } from "./values.ts";

interface Flags {
  readonly model_name: string;
  readonly image_dir: string;
  readonly output_dir: string;
  readonly val_txt?: string;
  readonly jobs?: number;
  readonly json?: boolean;
}

interface Failure {
  readonly name: string;
  readonly error: string;
}

/** Pictures that are read and written ahead of the ones that are computed. */
const AHEAD = 2;

/** Below this many pictures a second thread costs more than it saves. */
const FEW = 4;

/** The list of a val.txt, or every picture of the folder. */
async function picturesOf(flags: Flags): Promise<ListedPicture[]> {
  if (flags.val_txt !== undefined) {
    return parsePictureList(await readText(flags.val_txt, "list"), flags.val_txt);
  }
  const names: string[] = [];
  for await (const e of Deno.readDir(flags.image_dir)) {
    // Data sets are often folders of links.
    const file = e.isFile || e.isSymlink;
    if (file && pictureEndings.some((end) => e.name.endsWith(end))) names.push(e.name);
  }
  if (names.length === 0) {
    throw new BpuError("file", `folder ${flags.image_dir} has no pictures`, {
      hint: "JPEG, PNG, BMP and WebP are read.",
    });
  }
  const outputs = new Map<string, string>();
  return names.sort((a, b) => a < b ? -1 : 1).map((name, i) => {
    const output = outputName(name);
    const before = outputs.get(output);
    if (before !== undefined) {
      throw new BpuError("usage", `${before} and ${name} give the same file ${output}`, {
        hint: "Name the pictures in a list, --val_txt, or rename one.",
      });
    }
    outputs.set(output, name);
    return { name, output, line: i + 1 };
  });
}

/** Reads a picture; a name without an ending is tried with the usual ones. */
async function readPicture(
  dir: string,
  name: string,
): Promise<{ file: string; bytes: Uint8Array }> {
  for (const ending of ["", ...pictureEndings]) {
    const file = join(dir, name + ending);
    try {
      const info = await Deno.stat(file);
      if (info.isFile) return { file, bytes: await Deno.readFile(file) };
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) {
        throw new BpuError("file", `${file}: Deno was not allowed to read it`, {
          hint: "Add the image folder to --allow-read.",
        });
      }
      if (!(error instanceof Deno.errors.NotFound)) {
        throw new BpuError("file", `${file}: ${sentenceOf(error)}`);
      }
    }
  }
  throw new BpuError("file", `${join(dir, name)} does not exist`);
}

/** Why a picture could not be read; undefined when its result is written. A failed write is thrown. */
async function one(
  flags: Flags,
  pool: PicturePool,
  p: ListedPicture,
): Promise<BpuError | undefined> {
  let data;
  try {
    const { file, bytes } = await readPicture(flags.image_dir, p.name);
    ({ data } = await pool.prepare(bytes, file, flags.model_name));
  } catch (e) {
    // A defect of ours ends the run; a picture that is none does not.
    if (e instanceof BpuError && e.code !== "internal") return e;
    throw e;
  }
  const path = join(flags.output_dir, p.output);
  const result = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  await writeFiles(dirname(path), new Map([[path.slice(path.lastIndexOf("/") + 1), result]]));
  return undefined;
}

/**
 * Prepares all pictures, a few at a time. What is said about them comes in their order, for any number of
 * threads.
 */
async function prepareAll(
  flags: Flags,
  pool: PicturePool,
  pictures: readonly ListedPicture[],
): Promise<Failure[]> {
  const show = progress("pictures");
  const failed: Failure[] = [];
  const flight: { readonly name: string; readonly error: Promise<BpuError | undefined> }[] = [];
  let done = 0;
  const deliver = async () => {
    const { name, error } = flight.shift()!;
    const e = await error;
    if (e !== undefined) {
      failed.push({ name, error: e.sentence() });
      console.error(`WARNING skipped: ${e.sentence()}`);
    }
    show(++done, pictures.length);
  };
  for (const p of pictures) {
    const error = one(flags, pool, p);
    error.catch(() => {}); // awaited in order, later
    flight.push({ name: p.name, error });
    if (flight.length >= Math.max(1, pool.workers) + AHEAD) await deliver();
  }
  while (flight.length > 0) await deliver();
  return failed;
}

async function run(flags: Flags): Promise<void> {
  const model = chainOf(flags.model_name);
  if (!await isFolder(flags.image_dir)) {
    throw new BpuError("file", `${flags.image_dir} is not a folder`);
  }
  const pictures = await picturesOf(flags);
  await makeFolder(flags.output_dir);
  const jobs = flags.jobs ?? Math.min(8, navigator.hardwareConcurrency);
  const pool = await openPicturePool(pictures.length < FEW ? 1 : Math.min(jobs, pictures.length));
  const threads = Math.max(1, pool.workers);
  let failed: Failure[];
  try {
    failed = await prepareAll(flags, pool, pictures);
  } finally {
    pool.close();
  }
  const [height, width] = model.size;
  if (flags.json) {
    console.log(JSON.stringify({
      model: flags.model_name,
      reader: model.reader,
      chain: model.chain.map((t) => t.name),
      type: "nv12",
      height,
      width,
      threads,
      pictures: pictures.length,
      written: pictures.length - failed.length,
      skipped: failed,
      output_dir: flags.output_dir,
    }));
  } else {
    console.log(
      `${pictures.length - failed.length} of ${pictures.length} pictures written to ` +
        `${flags.output_dir} (nv12, ${width}x${height})`,
    );
  }
  if (failed.length > 0) {
    throw new BpuError(
      "file",
      `${failed.length} of ${pictures.length} pictures could not be prepared`,
      { hint: "Their names are above; replace them or take them off the list." },
    );
  }
}

/** Names in lines of three. */
function nameLines(): string {
  const names = [...modelChains.keys()];
  const width = Math.max(...names.map((n) => n.length)) + 2;
  const lines: string[] = [];
  for (let i = 0; i < names.length; i += 3) {
    lines.push("  " + names.slice(i, i + 3).map((n) => n.padEnd(width)).join("").trimEnd());
  }
  return lines.join("\n");
}

/** `hb_eval_preprocess`. */
export function evalPreprocess(): Command {
  return tool("hb_eval_preprocess", "Prepares pictures for the evaluation of a model on the board.")
    .requiredOption("-m, --model_name <name>", "model, see below")
    .requiredOption("-i, --image_dir <dir>", "folder with the pictures")
    .requiredOption("-o, --output_dir <dir>", "folder for the results, one .bin a picture")
    .option("-v, --val_txt <file>", "list of pictures, one a line; without it all of the folder")
    .option(
      "--jobs <n>",
      "threads; the results are the same for any number (default: one a core, at most 8)",
      parseCount("--jobs", 1),
    )
    .option("--json", "print the result as one JSON object")
    .option("--debug", "show stack traces of errors")
    .addHelpText(
      "after",
      `\nModels:\n${nameLines()}\n\nExample:\n  hb_eval_preprocess -m ssd_mobilenetv1 ` +
        "-i VOC/JPEGImages -v val.txt -o pre_ssd_mobilenetv1",
    )
    .action(run);
}

if (import.meta.main) await main(evalPreprocess, Deno.args);
