/**
 * TransposeTransformer, HWC2CHWTransformer, CHW2HWCTransformer, ReduceChannelTransformer.
 *
 * @module
 */

import { BpuError } from "../../errors.ts";
import { elementCount, stridesOf } from "../../ir/tensor.ts";
import { type DataFormat, dimsOf, type ImageArray } from "./image.ts";
import { type Transformer, transformer } from "./transformer.ts";

function empty(x: ImageArray, count: number): ImageArray["data"] {
  if (x.data instanceof Uint8Array) return new Uint8Array(count);
  return x.data instanceof Int8Array ? new Int8Array(count) : new Float32Array(count);
}

function permuted(x: ImageArray, perm: readonly number[]): ImageArray {
  const sorted = [...perm].sort((a, b) => a - b);
  if (perm.length !== x.shape.length || sorted.some((v, i) => v !== i)) {
    throw new BpuError("shape", `perm ${perm.join(",")} does not fit ${x.shape.join("x")}`);
  }
  const shape = perm.map((p) => x.shape[p]!);
  const from = stridesOf(x.shape);
  const strides = perm.map((p) => from[p]!);
  const count = elementCount(shape);
  const data = empty(x, count);
  const at = new Array<number>(shape.length).fill(0);
  for (let i = 0, source = 0; i < count; i++) {
    data[i] = x.data[source]!;
    for (let d = shape.length - 1; d >= 0; d--) {
      source += strides[d]!;
      if (++at[d]! < shape[d]!) break;
      source -= strides[d]! * shape[d]!;
      at[d] = 0;
    }
  }
  return { shape, data };
}

/** TransposeTransformer: dimensions in the order of `perm`. */
export function transpose(perm: readonly number[]): Transformer {
  return transformer("TransposeTransformer", { perm }, (x) => permuted(x, perm));
}

/** HWC2CHWTransformer. */
export function hwc2chw(): Transformer {
  return transformer("HWC2CHWTransformer", {}, (x) => permuted(x, [2, 0, 1]));
}

/** CHW2HWCTransformer. */
export function chw2hwc(): Transformer {
  return transformer("CHW2HWCTransformer", {}, (x) => permuted(x, [1, 2, 0]));
}

/** ReduceChannelTransformer: keeps the first channel. */
export function reduceChannel(options: { readonly data_format?: DataFormat } = {}): Transformer {
  const format = options.data_format ?? "CHW";
  return transformer("ReduceChannelTransformer", { data_format: format }, (x) => {
    const { h, w, pixel } = dimsOf(x, format, "ReduceChannelTransformer");
    const data = empty(x, h * w);
    for (let i = 0; i < h * w; i++) data[i] = x.data[i * pixel]!;
    return { shape: format === "HWC" ? [h, w, 1] : [1, h, w], data };
  });
}
