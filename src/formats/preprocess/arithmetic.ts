/**
 * AddTransformer, MeanTransformer, ScaleTransformer, NormalizeTransformer, F32ToS8Transformer,
 * F32ToU8Transformer. All but the last two give float32.
 *
 * @module
 */

import { BpuError } from "../../errors.ts";
import { type DataFormat, dimsOf, floatsOf, type ImageArray } from "./image.ts";
import { type Transformer, transformer } from "./transformer.ts";

function each(x: ImageArray, f: (v: number) => number): ImageArray {
  const data = Float32Array.from(x.data);
  for (let i = 0; i < data.length; i++) data[i] = f(data[i]!);
  return { shape: x.shape, data };
}

/** AddTransformer: x + value. */
export function add(value: number): Transformer {
  return transformer("AddTransformer", { value }, (x) => each(x, (v) => v + value));
}

/** ScaleTransformer: x * value. */
export function scale(value: number): Transformer {
  return transformer("ScaleTransformer", { value }, (x) => each(x, (v) => v * value));
}

/** NormalizeTransformer: x / std. */
export function normalize(std: number): Transformer {
  if (std === 0) throw new BpuError("usage", "std of NormalizeTransformer must not be 0");
  return transformer("NormalizeTransformer", { std }, (x) => each(x, (v) => v / std));
}

/** MeanTransformer: x minus the mean of its channel. */
export function mean(
  means: readonly number[],
  options: { readonly data_format?: DataFormat } = {},
): Transformer {
  const format = options.data_format ?? "CHW";
  return transformer("MeanTransformer", { means, data_format: format }, (x) => {
    const { h, w, c, pixel, channel } = dimsOf(x, format, "MeanTransformer");
    if (means.length !== c && means.length !== 1) {
      throw new BpuError("shape", `${means.length} means for ${c} channels`);
    }
    const data = Float32Array.from(floatsOf(x));
    for (let k = 0; k < c; k++) {
      const m = means[means.length === 1 ? 0 : k]!;
      for (let i = 0; i < h * w; i++) data[i * pixel + k * channel]! -= m;
    }
    return { shape: x.shape, data };
  });
}

/** F32ToS8Transformer: towards zero, saturated to int8. */
export function f32ToS8(): Transformer {
  return transformer("F32ToS8Transformer", {}, (x) => ({
    shape: x.shape,
    data: Int8Array.from(x.data as Float32Array, (v) => Math.max(-128, Math.min(127, v))),
  }));
}

/** F32ToU8Transformer: towards zero, saturated to uint8. */
export function f32ToU8(): Transformer {
  return transformer("F32ToU8Transformer", {}, (x) => ({
    shape: x.shape,
    data: Uint8Array.from(x.data as Float32Array, (v) => Math.max(0, Math.min(255, v))),
  }));
}
