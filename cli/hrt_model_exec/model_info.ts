/**
 * `hrt_model_exec model_info`: inputs and outputs as the runtime sees them.
 *
 * @module
 */

import type { Command } from "../../src/deps.ts";
import { readBin } from "../../src/container/bin.ts";
import { tensorsOf } from "../../src/container/tensors.ts";
import type { ModelTensor, ModelTensors } from "../../src/container/tensors.ts";
import { version } from "../../src/flow/version.ts";
import { modelInfoLines } from "../../src/run/model_exec.ts";
import { command } from "../app.ts";
import { chooseModel, headLines, openFiles } from "./common.ts";

interface Flags {
  readonly model_file: string;
  readonly model_name?: string;
  readonly json?: boolean;
}

async function run(flags: Flags): Promise<void> {
  const start = performance.now();
  const all = await openFiles(flags.model_file);
  const chosen = flags.model_name === undefined || flags.model_name === ""
    ? all
    : [chooseModel(all, flags.model_name)];
  const models: { name: string; tensors: ModelTensors }[] = [];
  for (const m of chosen) {
    const { info } = await readBin(m.bytes, m.file);
    models.push({ name: m.name, tensors: tensorsOf(info, m.file) });
  }
  if (flags.json) {
    const plain = (t: ModelTensor) => ({
      name: t.name,
      type: t.type,
      layout: t.layout,
      valid_shape: t.validShape,
      aligned_shape: t.alignedShape,
      aligned_byte_size: t.byteSize,
      stride: t.stride,
      scale: t.scale === undefined ? null : [...t.scale.values],
      zero_point: t.scale?.zero ?? null,
      quantize_axis: t.scale?.axis ?? null,
    });
    console.log(JSON.stringify({
      models: models.map((m) => ({
        name: m.name,
        inputs: m.tensors.inputs.map(plain),
        outputs: m.tensors.outputs.map(plain),
      })),
    }));
    return;
  }
  for (const l of headLines(all, version, performance.now() - start)) console.log(l);
  for (const m of models) {
    for (const l of modelInfoLines(m.name, m.tensors)) console.log(l);
    console.log("-".repeat(69));
  }
}

/** `hrt_model_exec model_info`. */
export function modelInfoCommand(): Command {
  return command("model_info", "Shows the inputs and outputs of a model.")
    .requiredOption("--model_file <files>", "one or several .bin files, separated by ,")
    .option("--model_name <name>", "one of several models")
    .option("--json", "print the result as one JSON object")
    .option("--debug", "show stack traces of errors")
    .addHelpText("after", "\nExample:\n  hrt_model_exec model_info --model_file model.bin")
    .action(run);
}
