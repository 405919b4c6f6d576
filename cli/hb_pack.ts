/**
 * `hb_pack`: several models in one file.
 *
 *     deno run --allow-read --allow-write=. cli/hb_pack.ts a.bin b.bin -o both.bin
 *
 * @module
 */

import type { Command } from "../src/deps.ts";
import { BpuError } from "../src/errors.ts";
import { membersOf, packModels } from "../src/container/pack.ts";
import type { BinFile } from "../src/container/pack.ts";
import { main, tool } from "./app.ts";
import { dirname, join, readFile, writeFiles } from "./files.ts";

interface Flags {
  readonly output_name?: string;
  readonly extract?: boolean;
  readonly json?: boolean;
}

/** A model's name as a file name: no folders, no hidden files. */
function fileName(model: string): string {
  return `${model.replace(/[^\w.-]/g, "_").replace(/^\.+/, "_")}.bin`;
}

async function extract(files: readonly BinFile[], dir: string): Promise<string[]> {
  const out = new Map<string, Uint8Array>();
  for (const f of files) {
    for (const m of await membersOf(f)) {
      const name = fileName(m.name);
      if (out.has(name)) {
        throw new BpuError("usage", `two models would be written to ${name}`, {
          file: f.file,
          hint: "Extract the files one by one into different folders.",
        });
      }
      out.set(name, m.bytes);
    }
  }
  return await writeFiles(dir, out);
}

async function run(paths: readonly string[], flags: Flags): Promise<void> {
  const say = (line: string) => flags.json === true || console.log(line);
  try {
    const files: BinFile[] = [];
    for (const file of paths) files.push({ file, bytes: await readFile(file, "model") });
    let written: string[];
    if (flags.extract === true) {
      written = await extract(files, flags.output_name ?? ".");
      for (const w of written) say(`INFO model saved as ${w}`);
    } else {
      const name = flags.output_name;
      if (name === undefined) {
        throw new BpuError("usage", "hb_pack needs the name of the packed file", {
          hint: "Add -o comb.bin.",
        });
      }
      const bytes = await packModels(files);
      written = await writeFiles(
        dirname(name),
        new Map([[name.slice(name.lastIndexOf("/") + 1), bytes]]),
      );
      say(`INFO pack model saved as ${join(dirname(name), name.slice(name.lastIndexOf("/") + 1))}`);
    }
    if (flags.json) console.log(JSON.stringify({ files: written }));
  } catch (error) {
    console.error("ERROR exception in command: pack");
    throw error;
  }
}

/** `hb_pack`. */
export function packCommand(): Command {
  return tool("hb_pack", "Packs several .bin files into one, or takes one apart.")
    .argument("<bin...>", ".bin files")
    .option("-o, --output_name <file>", "the packed file; with --extract a folder (default: .)")
    .option("--extract", "write every model of the given files into a file of its own")
    .option("--json", "print the result as one JSON object")
    .option("--debug", "show stack traces of errors")
    .addHelpText(
      "after",
      "\nExamples:\n  hb_pack a.bin b.bin -o both.bin\n  hb_pack --extract both.bin -o models",
    )
    .action(run);
}

if (import.meta.main) await main(packCommand, Deno.args);
