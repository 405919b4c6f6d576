/**
 * Runs any stage model, or a `.bin`, on files as the user has them.
 *
 * @module
 */

import { readBin } from "../container/bin.ts";
import { BpuError } from "../errors.ts";
import type { CompleteConfig } from "../formats/config/mod.ts";
import { loadSample, toModelInput } from "../formats/data/mod.ts";
import { loadOnnx } from "../formats/onnx/load.ts";
import type { Session } from "../ir/engine.ts";
import type { Port } from "../ir/graph.ts";
import type { Tensor } from "../ir/tensor.ts";
import { numbersOf } from "../ir/tensor.ts";
import { quantizedFeeds } from "./feeds.ts";
import { openProgram } from "../run/simulator.ts";
import type { FloatEngine } from "../run/float.ts";

/** A file in memory. */
export interface InputFile {
  readonly file: string;
  readonly bytes: Uint8Array;
}

/** An output as float32 (integers are converted). */
export interface FloatTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Opens a `.bin` in the simulator and anything else in the float engine. */
async function open(
  model: InputFile,
  engine: FloatEngine,
): Promise<{ session: Session; inputs: readonly Port[] }> {
  if (/\.bin$/i.test(model.file)) {
    const { program } = await readBin(model.bytes, model.file);
    return { session: await openProgram(program, { cpu: engine }), inputs: program.inputs };
  }
  const graph = loadOnnx(model.bytes, { file: model.file });
  return { session: await engine.openBytes(model.bytes), inputs: graph.inputs };
}

/**
 * Runs one sample.
 *
 * @param files by input name; the form is that of the calibration data of the configuration
 */
export async function inferModel(
  model: InputFile,
  config: CompleteConfig,
  files: ReadonlyMap<string, InputFile>,
  engine: FloatEngine,
): Promise<Map<string, FloatTensor>> {
  const { session, inputs } = await open(model, engine);
  try {
    const feeds = new Map<string, Tensor>();
    for (const p of inputs) {
      const file = files.get(p.name) ??
        (inputs.length === 1 && files.size === 1 ? [...files.values()][0] : undefined);
      if (file === undefined) {
        throw new BpuError("usage", `no file was given for input ${p.name}`, {
          hint: `Add --image-file ${p.name} FILE.`,
        });
      }
      const input = config.inputs.find((i) => i.name === p.name);
      if (input === undefined) {
        throw new BpuError("config", `the yaml does not describe input ${p.name}`, {
          hint: "Use the configuration that the model was made with.",
        });
      }
      const source = {
        list: () => Promise.resolve([]),
        read: () => Promise.resolve(file.bytes),
      };
      const sample = await loadSample(source, file.file, input, {
        preprocessOn: config.calibration.preprocessOn,
      });
      feeds.set(p.name, toModelInput(sample, input));
    }
    for (const name of files.keys()) {
      if (inputs.length > 1 && !inputs.some((p) => p.name === name)) {
        throw new BpuError("usage", `the model has no input ${name}`, {
          hint: `Its inputs are ${inputs.map((p) => p.name).join(", ")}.`,
        });
      }
    }
    const integers = new Set(inputs.filter((p) => p.dtype === "int8").map((p) => p.name));
    const outputs = await session.run(quantizedFeeds(feeds, integers));
    return new Map([...outputs].map(([name, t]): [string, FloatTensor] => [name, {
      shape: t.shape,
      data: t.data instanceof Float32Array ? t.data : Float32Array.from(numbersOf(t)),
    }]));
  } finally {
    await session.close();
  }
}
