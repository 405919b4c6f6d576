/**
 * `hrt_model_exec infer`: runs a model once and dumps tensors.
 *
 * @module
 */

import type { Command } from "../../src/deps.ts";
import { Option } from "../../src/deps.ts";
import { BpuError } from "../../src/errors.ts";
import { layersFrom } from "../../src/flow/layers.ts";
import type { DumpLayer } from "../../src/flow/layers.ts";
import { dequantized as realValues } from "../../src/flow/prove.ts";
import { version } from "../../src/flow/version.ts";
import type { Tensor } from "../../src/ir/tensor.ts";
import { numbersOf } from "../../src/ir/tensor.ts";
import {
  dequantized,
  dumpBytes,
  dumpName,
  dumpText,
  fileWord,
  layerInputName,
  layerName,
  type Loaded,
  loadModelFile,
  type OnLayer,
} from "../../src/run/model_exec.ts";
import { toRuntimeBytes } from "../../src/run/runtime_input.ts";
import { command } from "../app.ts";
import { writeFiles } from "../files.ts";
import {
  chooseModel,
  customEngine,
  headLines,
  inputFeeds,
  openFiles,
  type RunFlags,
  splitFiles,
  withRunFlags,
} from "./common.ts";
import { parseBool, parseCount } from "../values.ts";

interface Flags extends RunFlags {
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
  let model: Loaded;
  const seen = new Map<string, Tensor>();
  let before = "";
  const onLayer: OnLayer | undefined = flags.dump_intermediate === 0
    ? undefined
    : (type, node, tensor, x, inputs) => {
      const index = layer++;
      const name = layerName(index, type, node, tensor);
      const dump = (as: string, t: Tensor) => {
        if (flags.dump_intermediate === 1) files.set(`${as}.bin`, dumpBytes(t));
        else put(as, t, true);
      };
      // What a layer reads is what others gave before it; constants are in the model.
      if (before !== node) {
        for (const [i, t] of inputs.entries()) {
          const value = seen.get(t);
          if (value !== undefined) dump(layerInputName(index, type, node, i, t), value);
        }
      }
      before = node;
      seen.set(tensor, x);
      const real = layers.get(node);
      if (real !== undefined) {
        const values = realValues(x, real.scales, real.zero);
        files.set(`${fileWord(node)}_float.bin`, new Uint8Array(values.buffer));
      }
      dump(name, x);
    };
  const engine = await customEngine(flags.custom_op);
  try {
    model = await loadModelFile(member, undefined, engine, onLayer);
    layers = new Map(layersFrom(model.info["layers"]).map((l) => [l.node, l]));
    for (const l of headLines(all, version, performance.now() - start)) say(l);
    const feeds = await inputFeeds(model.inputs, splitFiles(flags.input_file), flags);
    let outputs = new Map<string, Tensor>();
    const times: number[] = [];
    for (let f = 0; f < flags.frame_count; f++) {
      layer = 0;
      before = "";
      seen.clear();
      for (const [name, t] of feeds) seen.set(name, t);
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
  return withRunFlags(
    command("infer", "Runs a model on files and dumps its outputs.")
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
        "dump inputs and outputs of every layer: 0 no, 1 bin, 2 and 3 bin and txt (layers have no " +
          "padding here); a .bin made with layer_out_dump also gives its convolutions as " +
          "<node>_float.bin",
        (text) => {
          const v = parseCount("--dump_intermediate", 0)(text);
          if (v <= 3) return v;
          throw new BpuError("usage", `--dump_intermediate is 0, 1, 2 or 3, not ${v}`);
        },
        0,
      )
      .option("--hybrid_dequantize_process [bool]", "dump integer outputs as float", parseBool)
      .option("--enable_cls_post_process [bool]", "print the five largest classes", parseBool),
  )
    .option("--json", "print the result as one JSON object")
    .option("--debug", "show stack traces of errors")
    .addHelpText(
      "after",
      "\nExample:\n  hrt_model_exec infer --model_file model.bin --input_file picture.jpg " +
        "--enable_dump --dump_path dump",
    )
    .action(run);
}
