/**
 * Graph inputs: declared by the net, by Input layers, or in place of data layers.
 *
 * @module
 */

import { isFieldSet } from "../../deps.ts";
import { BpuError } from "../../errors.ts";
import { shapeText } from "../../ir/tensor.ts";
import { shapeProblem } from "./build.ts";
import { ImageDataParameterSchema, MemoryDataParameterSchema } from "./gen/caffe_pb.ts";
import type { LayerSpec } from "./net.ts";

/** Layers that read files and databases; at inference their tops are inputs. */
const DATA: ReadonlySet<string> = new Set([
  "AnnotatedData",
  "Data",
  "DummyData",
  "HDF5Data",
  "ImageData",
  "MemoryData",
  "WindowData",
]);

/** Whether the layer's tops are graph inputs. */
export function isInputLayer(type: string): boolean {
  return type === "Input" || DATA.has(type);
}

/** Whether the layer reads data; such a top that nothing uses (a label) is left out. */
export function isDataLayer(type: string): boolean {
  return DATA.has(type);
}

/** The shape that a layer gives its `i`-th top, as far as the prototxt says. */
export function declaredShape(spec: LayerSpec, i: number): readonly number[] | undefined {
  const p = spec.params;
  if (spec.type === "Input") return (p.inputParam?.shape[i] ?? p.inputParam?.shape[0])?.dim;
  const dummy = p.dummyDataParam;
  if (dummy !== undefined) {
    if (dummy.shape.length > 0) return (dummy.shape[i] ?? dummy.shape[0])!.dim;
    const dims = [dummy.num, dummy.channels, dummy.height, dummy.width];
    const shape = dims.map((d) => d[i] ?? d[0] ?? 0);
    return shape.every((d) => d > 0) ? shape : undefined;
  }
  if (i > 0) return undefined;
  const memory = p.memoryDataParam;
  if (memory !== undefined) {
    if (memory.dim.length > 0) return memory.dim;
    const F = MemoryDataParameterSchema.field;
    const all = [F.batchSize, F.channels, F.height, F.width].every((f) => isFieldSet(memory, f));
    return all ? [memory.batchSize, memory.channels, memory.height, memory.width] : undefined;
  }
  const image = p.imageDataParam;
  const crop = p.transformParam?.cropSize || image?.cropSize || p.dataParam?.cropSize ||
    p.windowDataParam?.cropSize || 0;
  const t = p.transformParam;
  const height = t?.cropH || crop || image?.newHeight || 0;
  const width = t?.cropW || crop || image?.newWidth || 0;
  const batch = image?.batchSize || p.dataParam?.batchSize || p.windowDataParam?.batchSize || 0;
  // The channels are in the database; colour unless the layer says otherwise.
  const grey = t?.forceGray ||
    (image !== undefined && isFieldSet(image, ImageDataParameterSchema.field.isColor) &&
      !image.isColor);
  const known = image !== undefined || t?.forceColor || t?.forceGray ||
    t?.meanValue.length === 3;
  return batch > 0 && height > 0 && width > 0 && known
    ? [batch, grey ? 1 : 3, height, width]
    : undefined;
}

/**
 * The shape of one input: the caller's, else the declared one.
 *
 * @throws BpuError `shape` when neither is known or possible
 */
export function inputShape(
  name: string,
  declared: readonly number[] | undefined,
  given: ReadonlyMap<string, readonly number[]> | undefined,
  file: string,
  line: number,
): readonly number[] {
  const shape = given?.get(name) ?? declared;
  if (shape === undefined || shape.length === 0) {
    throw new BpuError("shape", `the input ${name} has no shape`, {
      file,
      line,
      hint: "Give its shape (input_shape), or replace the layer by an Input layer.",
    });
  }
  const problem = shapeProblem(shape);
  if (problem !== undefined) {
    throw new BpuError("shape", `the input ${name} cannot be ${shapeText(shape)}: ${problem}`, {
      file,
      line,
    });
  }
  return shape;
}
