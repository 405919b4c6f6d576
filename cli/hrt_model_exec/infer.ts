/**
 * `hrt_model_exec infer`: runs a model once and dumps tensors.
 *
 * @module
 */

import type { Command } from "../../src/deps.ts";
import { Option } from "../../src/deps.ts";
import { layersFrom } from "../../src/flow/layers.ts";
import type { DumpLayer } from "../../src/flow/layers.ts";
import { dequantized as realValues } from "../../src/flow/prove.ts";
import { version } from "../../src/flow/version.ts";
import type { Tensor } from "../../src/ir/tensor.ts";
import { numbersOf } from "../../src/ir/tensor.ts";
import { functionsOf } from "../../src/ops/functions.ts";
import { createFloatEngine } from "../../src/run/float.ts";
import {
  dequantized,
  dumpBytes,
  dumpName,
  dumpText,
  fileWord,
  layerName,
  loadModelFile,
} from "../../src/run/model_exec.ts";
import { toRuntimeBytes } from "../../src/run/runtime_input.ts";
import { command } from "../app.ts";
import { writeFiles } from "../files.ts";
import {
  chooseModel,
  headLines,
  inputFeeds,
  openFiles,
  parseBool,
  parseCount,
  splitFiles,
} from "./common.ts";

interface Flags {
  readonly model_file: string;
  readonly model_name?: string;
  readonly input_file: string;
  readonly frame_count: number;
  readonly enable_dump?: boolean;
  readonly dump_path: string;
  readonly dump_format: "bin" | "txt";
  readonly dump_precision: number;
  readonly dump_txt_axis: number;
  readonly dump_intermediate: number;
  readonly hybrid_dequantize_process?: boolean;
  readonly enable_cls_post_process?: boolean;
  readonly json?: boolean;
}

async function run(flags: Flags): Promise<void> {
  const say = (line: string) => flags.json === true || console.log(line);
  const start = performance.now();
  const all = await openFiles(flags.model_file);
  const member = chooseModel(all, flags.model_name);
  const files = new Map<string, Uint8Array>();
  const put = (name: string, x: Tensor, both = false) => {
    if (flags.dump_format === "bin" || both) files.set(`${name}.bin`, dumpBytes(x));
    if (flags.dump_format === "txt" || both) {
      const text = dumpText(x, flags.dump_txt_axis, flags.dump_precision);
      files.set(`${name}.txt`, new TextEncoder().encode(text));
    }
  };
  let layer = 0;
  let layers: ReadonlyMap<string, DumpLayer> = new Map();
  const onLayer = flags.dump_intermediate === 0
    ? undefined
    : (type: string, node: string, tensor: string, x: Tensor) => {
      const name = layerName(layer++, type, node, tensor);
      const real = layers.get(node);
      if (real !== undefined) {
        const values = realValues(x, real.scales, real.zero);
        files.set(`${fileWord(node)}_float.bin`, new Uint8Array(values.buffer));
      }
      if (flags.dump_intermediate === 1) files.set(`${name}.bin`, dumpBytes(x));
      else put(name, x, true);
    };
  const engine = createFloatEngine({ workers: 0, functions: functionsOf });
  try {
    const model = await loadModelFile(member, undefined, engine, onLayer);
    layers = new Map(layersFrom(model.info["layers"]).map((l) => [l.node, l]));
    for (const l of headLines(all, version, performance.now() - start)) say(l);
    const feeds = await inputFeeds(model.inputs, splitFiles(flags.input_file));
    let outputs = new Map<string, Tensor>();
    const times: number[] = [];
    for (let f = 0; f < flags.frame_count; f++) {
      layer = 0;
      say(`${"-".repeat(21)}Frame ${f} begin${"-".repeat(21)}`);
      const begin = performance.now();
      outputs = await model.session.run(feeds);
      times.push(performance.now() - begin);
      say(`Infer time: ${times[f]!.toFixed(3)} ms`);
      say(`${"-".repeat(21)}Frame ${f} end${"-".repeat(21)}`);
    }
    await model.session.close();
    if (flags.enable_dump === true) {
      for (const [i, t] of model.inputs.entries()) {
        const x = feeds.get(t.name)!;
        files.set(`${dumpName("input", i, t.name)}.bin`, toRuntimeBytes(x, t));
      }
      for (const [i, t] of model.outputs.entries()) {
        const x = outputs.get(t.name)!;
        put(
          dumpName("output", i, t.name),
          flags.hybrid_dequantize_process === true ? dequantized(x, t) : x,
        );
      }
    }
    const written = files.size === 0 ? [] : await writeFiles(flags.dump_path, files);
    for (const w of written) say(`dump saved in ${w}`);
    if (flags.enable_cls_post_process === true) {
      for (const t of model.outputs) {
        const values = Array.from(numbersOf(dequantized(outputs.get(t.name)!, t)));
        const order = values.map((v, i) => [v, i] as const).sort((a, b) =>
          b[0] - a[0] || a[1] - b[1]
        );
        order.slice(0, 5).forEach(([, id], k) => say(`TOP ${k} result id: ${id}`));
      }
    }
    if (flags.json) {
      console.log(JSON.stringify({
        model: model.name,
        infer_ms: times,
        outputs: model.outputs.map((t) => ({
          name: t.name,
          dtype: t.port.dtype,
          shape: t.port.shape,
        })),
        files: written,
      }));
    }
  } finally {
    await engine.close();
  }
}

/** `hrt_model_exec infer`. */
export function inferCommand(): Command {
  return command("infer", "Runs a model on files and dumps its outputs.")
    .requiredOption("--model_file <files>", "one or several .bin files, separated by ,")
    .option("--model_name <name>", "one of several models")
    .requiredOption(
      "--input_file <files>",
      "a file an input, separated by , (runtime bytes .bin, .txt, .npy or a picture)",
    )
    .option("--frame_count <n>", "how often the model runs", parseCount("--frame_count", 1), 1)
    .option("--enable_dump [bool]", "dump inputs and outputs", parseBool)
    .option("--dump_path <dir>", "folder of the dumps", ".")
    .addOption(
      new Option("--dump_format <format>", "bin or txt").choices(["bin", "txt"]).default("bin"),
    )
    .option("--dump_precision <n>", "decimals in txt", parseCount("--dump_precision", 0), 9)
    .option(
      "--dump_txt_axis <n>",
      "dimensions that get lines of their own in txt",
      parseCount("--dump_txt_axis", 0),
      4,
    )
    .option(
      "--dump_intermediate <n>",
      "dump the output of every layer: 0 no, 1 bin, 2 and 3 bin and txt; a .bin made with " +
        "layer_out_dump also gives its convolutions as <node>_float.bin",
      parseCount("--dump_intermediate", 0),
      0,
    )
    .option("--hybrid_dequantize_process [bool]", "dump integer outputs as float", parseBool)
    .option("--enable_cls_post_process [bool]", "print the five largest classes", parseBool)
    .option("--core_id <n>", "accepted, without effect: there are no BPU cores here")
    .option("--json", "print the result as one JSON object")
    .option("--debug", "show stack traces of errors")
    .addHelpText(
      "after",
      "\nExample:\n  hrt_model_exec infer --model_file model.bin --input_file picture.jpg " +
        "--enable_dump --dump_path dump",
    )
    .action(run);
}
