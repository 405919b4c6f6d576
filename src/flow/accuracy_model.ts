/**
 * A model as evaluation sees it: pictures in, float outputs out, whatever kind of file it is.
 *
 * @module
 */

import { readBin } from "../container/bin.ts";
import type { Json } from "../container/codec.ts";
import { BpuError } from "../errors.ts";
import type { CompleteInput } from "../formats/config/mod.ts";
import { toModelInput } from "../formats/data/mod.ts";
import type { Picture } from "../formats/image/mod.ts";
import { loadOnnx } from "../formats/onnx/load.ts";
import type { Session } from "../ir/engine.ts";
import type { Port } from "../ir/graph.ts";
import { numbersOf } from "../ir/tensor.ts";
import type { Tensor } from "../ir/tensor.ts";
import { applyChain } from "../report/eval/preprocess.ts";
import type { ChainOptions, Placement, Step } from "../report/eval/preprocess.ts";
import type { FloatEngine } from "../run/float.ts";
import { openProgram } from "../run/simulator.ts";
import { quantizedFeeds } from "./feeds.ts";
import type { InputFile } from "./infer.ts";
import { toRuntimeLayout } from "./layouts.ts";

/** A model that takes one picture. */
export interface PictureModel {
  /** Shape of the input; open dimensions are those that were asked for. */
  readonly shape: readonly number[];
  /** Height and width of the input. */
  readonly size: readonly [number, number];
  /** Prepares and runs a picture. Outputs are float32. */
  run(p: Picture): Promise<{ outputs: Map<string, Tensor>; placement: Placement }>;
  close(): Promise<void>;
}

type Fields = { readonly [k: string]: Json };
const record = (v: Json | undefined): Fields =>
  typeof v === "object" && v !== null && !Array.isArray(v) ? v as Fields : {};

/** How a `.bin` was told to take its input; undefined where the file does not say. */
function binInput(info: Json, name: string): Fields | undefined {
  const list = record(record(record(info)["config"])["input_parameters"])["inputs"];
  const found = Array.isArray(list)
    ? list.map(record).find((i) => i["input_name"] === name)
    : undefined;
  return found;
}

/**
 * Opens a float model (`.onnx`), or a `.bin` in the simulator.
 *
 * A `.bin` whose input is a picture, or that normalises itself, is given the values before the chain's
 * normalize steps, in the colour order and layout that it was made for.
 *
 * @param shape of the input, where the model leaves dimensions open
 */
export async function openPictureModel(
  file: InputFile,
  chain: readonly Step[],
  engine: FloatEngine,
  shape?: readonly number[],
): Promise<PictureModel> {
  const open = async (): Promise<[Session, readonly Port[], Json]> => {
    if (/\.bin$/i.test(file.file)) {
      const { program, info } = await readBin(file.bytes, file.file);
      return [await openProgram(program, { cpu: engine }), program.inputs, info];
    }
    const { inputs } = loadOnnx(file.bytes, { file: file.file });
    return [await engine.openBytes(file.bytes), inputs, null];
  };
  const [session, inputs, info] = await open();
  const port = inputs[0];
  if (port === undefined || inputs.length !== 1) {
    throw new BpuError(
      "unsupported",
      `evaluation takes models with one input, this one has ${inputs.length}`,
      {
        file: file.file,
      },
    );
  }
  const own = binInput(info, port.name);
  const given = own?.["input_shape"];
  const wanted = Array.isArray(given) && given.every((d) => typeof d === "number")
    ? given as readonly number[]
    : port.shape.some((d) => d < 1)
    ? shape ?? [1, ...port.shape.slice(1)]
    : port.shape;
  if (wanted.some((d) => d < 1)) {
    throw new BpuError("shape", `the input ${port.name} has open dimensions`, {
      file: file.file,
      hint: "Add --input-shape 1x3x224x224.",
    });
  }
  const options: ChainOptions = own === undefined ? {} : {
    raw: port.dtype === "int8" || own["norm_type"] !== "no_preprocess",
    layout: own["input_layout_train"] === "NHWC" ? "NHWC" : "NCHW",
    ...(own["input_type_train"] === "featuremap"
      ? {}
      : { order: own["input_type_train"] as "rgb" | "bgr" | "gray" }),
  };
  const convert = (t: Tensor): Tensor => {
    if (own === undefined) return t;
    const input = {
      name: port.name,
      shape: wanted,
      typeTrain: own["input_type_train"],
      typeRt: own["input_type_rt"],
      layoutTrain: own["input_layout_train"],
      layoutRt: own["input_layout_rt"] ?? undefined,
      spaceAndRange: own["input_space_and_range"],
    } as CompleteInput;
    return toRuntimeLayout(toModelInput(t, input), input);
  };
  const nhwc = options.layout === "NHWC" ||
    (own === undefined && chain.some((s) => s.step === "layout" && s.order === "NHWC"));
  return {
    shape: wanted,
    size: nhwc ? [wanted[1]!, wanted[2]!] : [wanted[2]!, wanted[3]!],
    async run(p) {
      const { tensor, placement } = applyChain(p, chain, wanted, options);
      const feeds = new Map([[port.name, convert(tensor)]]);
      const integers = new Set(port.dtype === "int8" ? [port.name] : []);
      const outputs = await session.run(quantizedFeeds(feeds, integers));
      return {
        placement,
        outputs: new Map([...outputs].map(([name, t]): [string, Tensor] => [
          name,
          t.data instanceof Float32Array
            ? t
            : { dtype: "float32", shape: t.shape, data: Float32Array.from(numbersOf(t)) },
        ])),
      };
    },
    close: () => session.close(),
  };
}
