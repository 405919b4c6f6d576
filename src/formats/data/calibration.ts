/**
 * The calibration set: for every input a list of files, read one sample at a time, always in the same
 * order.
 *
 * @module
 */

import { BpuError } from "../../errors.ts";
import { elementCount, type Tensor } from "../../ir/tensor.ts";
import type { CompleteInput } from "../config/types.ts";
import { oddRange, toModelInput } from "./convert.ts";
import { type LoadOptions, loadSample } from "./load.ts";
import { type FileSource, sampleFiles } from "./source.ts";

/** Samples for all inputs. Nothing is kept: memory does not grow with their number. */
export interface CalibrationSet {
  readonly count: number;
  /** Files of sample `index` by input name; empty for random data. */
  files(index: number): ReadonlyMap<string, string>;
  /** Sample `index` by input name, in train type and layout, before mean and scale. */
  raw(index: number): Promise<ReadonlyMap<string, Tensor>>;
  /** Sample `index` by input name, as the first nodes of the model take it. */
  sample(index: number): Promise<ReadonlyMap<string, Tensor>>;
}

/** Options of {@linkcode openCalibration}. */
export interface CalibrationOptions extends LoadOptions {
  /** Most samples that are used. */
  readonly limit?: number;
  /** Called once an input when the first sample looks normalised already or out of range. */
  readonly warn?: (text: string) => void;
}

/**
 * Lists the calibration files of every input.
 *
 * @throws {BpuError} `calibration` when a folder is missing or empty, or the inputs have different
 * numbers of samples.
 */
export async function openCalibration(
  source: FileSource,
  inputs: readonly CompleteInput[],
  options: CalibrationOptions = {},
): Promise<CalibrationSet> {
  const lists: string[][] = [];
  for (const input of inputs) {
    if (input.calDataDir === undefined) {
      throw new BpuError("calibration", `input ${input.name} has no calibration folder`, {
        tensor: input.name,
        key: "calibration_parameters.cal_data_dir",
        hint: "Give cal_data_dir one folder an input, or set calibration_type: 'skip'.",
      });
    }
    lists.push(await sampleFiles(source, input.calDataDir));
  }
  const counts = lists.map((l) => l.length);
  if (new Set(counts).size > 1) {
    const text = inputs.map((i, k) => `${i.name} has ${counts[k]} in ${i.calDataDir}`).join(", ");
    throw new BpuError("calibration", `the inputs have different numbers of samples: ${text}`, {
      key: "calibration_parameters.cal_data_dir",
      hint: "Sample k of every input belongs together; make the folders of equal size.",
    });
  }
  const count = Math.min(counts[0] ?? 0, options.limit ?? Infinity);
  const raw = async (index: number) => {
    const out = new Map<string, Tensor>();
    for (const [k, input] of inputs.entries()) {
      const tensor = await loadSample(source, fileAt(lists[k]!, index), input, options);
      if (index === 0 && options.warn !== undefined) {
        const odd = oddRange(tensor, input);
        if (odd !== undefined) options.warn(`${fileAt(lists[k]!, 0)}: ${odd}`);
      }
      out.set(input.name, tensor);
    }
    return out;
  };
  return {
    count,
    files: (index) => new Map(inputs.map((i, k) => [i.name, fileAt(lists[k]!, index)])),
    raw,
    sample: async (index) => converted(await raw(index), inputs),
  };
}

function fileAt(files: readonly string[], index: number): string {
  const file = files[index];
  if (file === undefined) throw new BpuError("internal", `there is no sample ${index}`);
  return file;
}

function converted(
  samples: ReadonlyMap<string, Tensor>,
  inputs: readonly CompleteInput[],
): ReadonlyMap<string, Tensor> {
  return new Map(inputs.map((i) => [i.name, toModelInput(samples.get(i.name)!, i)]));
}

/**
 * Random data for `calibration_type: skip` and for the checker: 0 to 255 for images, a normal
 * distribution for featuremaps. The same every time.
 */
export function randomCalibration(inputs: readonly CompleteInput[], count = 1): CalibrationSet {
  const raw = (index: number) =>
    Promise.resolve(new Map(inputs.map((i, k) => [i.name, randomSample(i, index * 1009 + k)])));
  return {
    count,
    files: () => new Map(),
    raw,
    sample: async (index) => converted(await raw(index), inputs),
  };
}

/** One random sample in train type and layout. */
export function randomSample(input: CompleteInput, seed: number): Tensor {
  const next = mulberry32(seed + 1);
  const data = new Float32Array(elementCount(input.shape));
  const image = input.typeTrain !== "featuremap";
  for (let i = 0; i < data.length; i++) {
    data[i] = image
      ? Math.floor(next() * 256)
      : Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  }
  return { dtype: "float32", shape: [...input.shape], data };
}

/** A small generator with a fixed sequence for a seed. */
function mulberry32(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
