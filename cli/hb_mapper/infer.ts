/**
 * `hb_mapper infer`: runs a stage model or a `.bin` on given inputs and dumps the outputs.
 *
 * @module
 */

import type { Command } from "../../src/deps.ts";
import { Option } from "../../src/deps.ts";
import { inferModel } from "../../src/flow/infer.ts";
import { functionsOf } from "../../src/ops/functions.ts";
import { createFloatEngine } from "../../src/run/float.ts";
import { collectPair, command } from "../app.ts";
import { withConfigOperators } from "../custom_op_files.ts";
import { readFile, writeFiles } from "../files.ts";
import { openLog } from "../log.ts";
import { openJob } from "./job.ts";

interface Flags {
  readonly config: string;
  readonly modelFile: string;
  readonly modelType: "onnx" | "caffe";
  readonly imageFile: ReadonlyMap<string, string>;
  readonly inputLayout?: "NCHW" | "NHWC";
  readonly outputDir: string;
  readonly json?: boolean;
}

/** Name of an output's file: other characters than letters, digits, '.', '_' and '-' become '_'. */
export function dumpName(output: string): string {
  return `${output.replace(/[^\w.-]/g, "_")}_float.bin`;
}

/** `hb_mapper infer`. */
export function inferCommand(): Command {
  return command("infer", "Runs a stage model or a .bin and writes its outputs as float32 files.")
    .requiredOption("-c, --config <yaml>", "configuration that the model was made with")
    .requiredOption("--model-file <file>", "one of the four stage models, or the .bin")
    .addOption(
      new Option("--model-type <type>", "kind of the original model").choices(["onnx", "caffe"])
        .makeOptionMandatory(),
    )
    .option(
      "--image-file <input and file>",
      "input name and file (.npy, raw or picture); repeat for each input",
      collectPair,
      new Map<string, string>(),
    )
    .addOption(
      new Option("--input-layout <layout>", "layout of the files, where it is not that of training")
        .choices(["NCHW", "NHWC"]),
    )
    .option("--output-dir <dir>", "folder for the results", "infer_output")
    .option("--json", "print the result as one JSON object")
    .option("--debug", "show stack traces of errors")
    .addHelpText(
      "after",
      "\nExample:\n  hb_mapper infer -c config.yaml --model-file model.bin --model-type onnx " +
        "--image-file data data.npy --output-dir out",
    )
    .action(async (flags: Flags) => {
      const log = openLog("hb_mapper_infer.log", flags.json === true);
      let engine = createFloatEngine({ workers: 0, functions: functionsOf });
      try {
        const { config } = await openJob(flags.config, flags.modelType, log);
        ({ engine } = await withConfigOperators(engine, config.customOp, log));
        const data = new Map<string, { file: string; bytes: Uint8Array }>();
        for (const [input, file] of flags.imageFile) {
          data.set(input, { file, bytes: await readFile(file, "input file") });
        }
        const { outputs, layers } = await inferModel(
          { file: flags.modelFile, bytes: await readFile(flags.modelFile, "model") },
          config,
          data,
          engine,
          {
            warn: (line) => log.warning(line),
            ...(flags.inputLayout === undefined ? {} : { layout: flags.inputLayout }),
          },
        );
        // A convolution that is an output keeps the output's file.
        const all = new Map([...layers, ...outputs]);
        const dumps = new Map([...all].map(([name, t]) => [
          dumpName(name),
          new Uint8Array(t.data.buffer, t.data.byteOffset, t.data.byteLength),
        ]));
        if (dumps.size < all.size) log.warning("some layers have the same file name; one is kept");
        const files = await writeFiles(flags.outputDir, dumps);
        for (const f of files) log.info(`output saved in ${f}`);
        if (flags.json) {
          const list = (m: typeof outputs) =>
            [...m].map(([name, t]) => ({ name, shape: t.shape, file: dumpName(name) }));
          console.log(JSON.stringify({ outputs: list(outputs), layers: list(layers), files }));
        }
      } finally {
        log.close();
        await engine.close();
      }
    });
}
