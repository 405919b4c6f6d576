/**
 * Reads the float model that a command was given.
 *
 * @module
 */

import { BpuError } from "../src/errors.ts";
import { loadCaffe } from "../src/formats/caffe/load.ts";
import { loadOnnx } from "../src/formats/onnx/load.ts";
import type { Graph } from "../src/ir/graph.ts";
import { inferTypes } from "../src/ops/infer.ts";
import { otherPrecision, singlePrecision } from "../src/passes/single_precision.ts";
import { externalData, readFile, readText } from "./files.ts";

/** Where the model is. */
export interface ModelFiles {
  readonly type: "onnx" | "caffe";
  /** ONNX file or caffemodel. */
  readonly model: string;
  readonly prototxt?: string;
}

/** Outputs that the file states no shape for get the one that their nodes give. */
function withOutputShapes(g: Graph): Graph {
  const open = g.outputs.filter((p) => p.shape.length === 0 && !g.types.has(p.name));
  if (open.length === 0) return g;
  let types: Graph["types"];
  try {
    ({ types } = inferTypes(g, { declared: "fallback" }));
  } catch (error) {
    if (error instanceof BpuError) return g; // Said later, or solved by an operator of the user's.
    throw error;
  }
  return {
    ...g,
    outputs: g.outputs.map((p) => {
      const type = open.includes(p) ? types.get(p.name) : undefined;
      return type === undefined ? p : { ...p, shape: type.shape };
    }),
  };
}

/**
 * Loads a float model with the shapes that the user gave for its inputs, in float32.
 *
 * @param note receives a sentence about a change of precision
 */
export async function loadModel(
  files: ModelFiles,
  inputShapes: ReadonlyMap<string, readonly number[]>,
  note: (sentence: string) => void,
): Promise<Graph> {
  let g = await readModel(files, inputShapes);
  for (let from = otherPrecision(g); from !== undefined; from = otherPrecision(g)) {
    note(`The model computes in ${from}; it is converted as a float32 model`);
    g = singlePrecision(g, from);
  }
  return withOutputShapes(g);
}

async function readModel(
  files: ModelFiles,
  inputShapes: ReadonlyMap<string, readonly number[]>,
): Promise<Graph> {
  if (files.type === "onnx") {
    const bytes = await readFile(files.model, "model");
    return loadOnnx(bytes, {
      file: files.model,
      inputShapes,
      readExternal: externalData(files.model),
    });
  }
  if (files.prototxt === undefined) {
    throw new BpuError("usage", "a Caffe model needs its prototxt", { hint: "Add --proto." });
  }
  const proto = await readText(files.prototxt, "prototxt");
  const model = await readFile(files.model, "caffemodel");
  return loadCaffe(proto, model, {
    prototxtFile: files.prototxt,
    modelFile: files.model,
    inputShapes,
  });
}

/** `1x3x224x224` as numbers; `?`, `-1` and `0` are unknown. */
export function parseShape(text: string, name: string): number[] {
  const shape = text.split(/[x×,]/).map((d) => d.trim()).map((d) => d === "?" ? -1 : Number(d));
  if (shape.length === 0 || shape.some((d) => !Number.isSafeInteger(d) || d < 1)) {
    throw new BpuError("usage", `'${text}' is not a shape for input ${name}`, {
      hint: "Write it like 1x3x224x224.",
    });
  }
  return shape;
}
