/**
 * `hb_model_info`: shows what a model was made from.
 *
 *     deno run --allow-read --allow-write=. cli/hb_model_info.ts model.bin
 *
 * Writing is needed for a model with deleted nodes only (`deleted_nodes_info.txt`).
 *
 * @module
 */

import type { Command } from "../src/deps.ts";
import { readBin, readInfo } from "../src/container/bin.ts";
import { deletedText, infoLines } from "../src/container/info.ts";
import { membersOf, selectModel } from "../src/container/pack.ts";
import type { Member } from "../src/container/pack.ts";
import { readSections } from "../src/container/sections.ts";
import { recordsOf, scaleInfo } from "../src/container/deleted.ts";
import { sentenceOf } from "../src/errors.ts";
import { version } from "../src/flow/version.ts";
import { main, tool } from "./app.ts";
import { readFile, writeFiles } from "./files.ts";

interface Flags {
  readonly model?: string;
  readonly json?: boolean;
  readonly verify?: boolean;
}

/** Checks every section of a model and that its program can be read; the lines to print. */
async function verifyLines(member: Member): Promise<string[]> {
  const lines: string[] = [];
  for (const [name, bytes] of await readSections(member.bytes, member.name)) {
    lines.push(`section ${name.padEnd(12)}: ${bytes.length} bytes, sha256 ok`);
  }
  await readBin(member.bytes, member.name);
  return lines;
}

async function run(file: string, flags: Flags): Promise<void> {
  const bytes = await readFile(file, "model");
  const source = { file, bytes };
  const all = await membersOf(source);
  const chosen = flags.model === undefined ? all : [await selectModel(source, flags.model)];
  const say = (line: string) => flags.json === true || console.log(line);
  say("Start hb_model_info....");
  say(`hb_model_info version ${version}`);
  if (all.length > 1) say(`packed models: ${all.map((m) => m.name).join(", ")}`);
  const results: unknown[] = [];
  let deleted = "";
  for (const m of chosen) {
    const place = all.length > 1 ? `${file}#${m.name}` : file;
    const info = await readInfo(m.bytes, place);
    for (const line of infoLines(info, place)) say(line);
    const verified = flags.verify === true ? await verifyLines({ ...m, name: place }) : [];
    for (const line of verified) say(line);
    deleted += deletedText(info, place);
    const { kind: _, deleted: __, ...rest } = info;
    results.push({
      ...rest,
      deleted_nodes: recordsOf(info, place).map((d) => {
        const s = scaleInfo(d);
        return {
          name: d.node.name,
          type: d.type,
          side: d.side,
          port: d.port,
          scale: s === undefined ? null : [...s.scale],
          zero_point: s?.zero ?? null,
        };
      }),
      ...(flags.verify === true ? { verified: true } : {}),
    });
  }
  if (deleted !== "") {
    try {
      await writeFiles(
        ".",
        new Map([["deleted_nodes_info.txt", new TextEncoder().encode(deleted)]]),
      );
    } catch (error) {
      console.error(`WARNING deleted_nodes_info.txt was not written: ${sentenceOf(error)}`);
    }
  }
  if (flags.json) console.log(JSON.stringify({ models: results }));
}

/** `hb_model_info`. */
export function modelInfoCommand(): Command {
  return tool("hb_model_info", "Shows what a .bin was made from: versions, parameters, types.")
    .argument("<model>", "a .bin file")
    .option("-m, --model <name>", "which model of a packed file; all of them without it")
    .option("--verify", "check every section's hash and read the program")
    .option("--json", "print the result as one JSON object")
    .option("--debug", "show stack traces of errors")
    .addHelpText("after", "\nExample:\n  hb_model_info model_output/model.bin")
    .action(run);
}

if (import.meta.main) await main(modelInfoCommand, Deno.args);
