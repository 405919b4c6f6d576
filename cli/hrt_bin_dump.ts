/**
 * `hrt_bin_dump`: the convolutions of a `.bin` made with layer_out_dump, as files that vec_diff compares
 * with those of `hb_mapper infer`.
 *
 *     deno run --allow-read --allow-write=dump cli/hrt_bin_dump.ts --model_file m.bin --input_file x.bin --conv_dump_path dump
 *
 * @module
 */

import type { Command } from "../src/deps.ts";
import { BpuError } from "../src/errors.ts";
import { layersFrom } from "../src/flow/layers.ts";
import type { DumpLayer } from "../src/flow/layers.ts";
import { dequantized } from "../src/flow/prove.ts";
import { numbersOf } from "../src/ir/tensor.ts";
import { fileWord, loadModelFile } from "../src/run/model_exec.ts";
import { main, tool } from "./app.ts";
import { readText, writeFiles } from "./files.ts";
import { gflags } from "./hrt_model_exec.ts";
import {
  chooseModel,
  customEngine,
  inputFeeds,
  openFiles,
  splitFiles,
} from "./hrt_model_exec/common.ts";

interface Flags {
  readonly model_file: string;
  readonly model_name?: string;
  readonly input_file: string;
  readonly conv_dump_path: string;
  readonly conv_mapping_file?: string;
  readonly custom_op?: string;
  readonly json?: boolean;
}

async function run(flags: Flags): Promise<void> {
  const member = chooseModel(await openFiles(flags.model_file), flags.model_name);
  if (flags.conv_mapping_file !== undefined) {
    await readText(flags.conv_mapping_file, "conv_mapping_file");
    console.error("NOTE --conv_mapping_file is not needed: the .bin knows its layers");
  }
  const files = new Map<string, Uint8Array>();
  let layers: ReadonlyMap<string, DumpLayer> = new Map();
  const engine = await customEngine(flags.custom_op);
  try {
    const model = await loadModelFile(member, undefined, engine, (_type, node, _tensor, x) => {
      const layer = layers.get(node);
      if (layer === undefined) return;
      const values = dequantized(x, layer.scales, layer.zero);
      files.set(`${fileWord(node)}_float.bin`, new Uint8Array(values.buffer));
    });
    try {
      layers = new Map(layersFrom(model.info["layers"]).map((l) => [l.node, l]));
      if (layers.size === 0) {
        throw new BpuError("unsupported", "the model was made without layer_out_dump", {
          file: member.file,
          hint: "Convert it with layer_out_dump: True, or use hrt_model_exec --dump_intermediate.",
        });
      }
      const feeds = await inputFeeds(model.inputs, splitFiles(flags.input_file));
      for (const [name, t] of await model.session.run(feeds)) {
        const values = Float32Array.from(numbersOf(t));
        files.set(`${fileWord(name)}_float.bin`, new Uint8Array(values.buffer));
      }
    } finally {
      await model.session.close();
    }
  } finally {
    await engine.close();
  }
  const written = await writeFiles(flags.conv_dump_path, files);
  if (flags.json) {
    console.log(JSON.stringify({ model: member.name, layers: layers.size, files: written }));
  } else {
    for (const w of written) console.log(`dump saved in ${w}`);
  }
}

/** `hrt_bin_dump`. */
export function binDumpCommand(): Command {
  return tool("hrt_bin_dump", "Dumps the convolutions of a .bin made with layer_out_dump.")
    .requiredOption("--model_file <files>", "one or several .bin files, separated by ,")
    .option("--model_name <name>", "one of several models")
    .requiredOption("--input_file <files>", "a file an input, separated by ,")
    .option("--conv_dump_path <dir>", "folder of the dumps", ".")
    .option("--conv_mapping_file <json>", "accepted; the .bin knows its layers")
    .option("--custom_op <files>", "files with the model's custom operators, separated by ,")
    .option("--json", "print the result as one JSON object")
    .option("--debug", "show stack traces of errors")
    .addHelpText(
      "after",
      "\nExample:\n  hrt_bin_dump --model_file model.bin --input_file x.bin --conv_dump_path dump\n" +
        "  vec_diff dump quantized_infer",
    )
    .action(run);
}

if (import.meta.main) await main(binDumpCommand, gflags(Deno.args));
