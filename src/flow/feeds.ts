/**
 * Samples as the stages take them.
 *
 * @module
 */

import type { CalibrationSet } from "../formats/data/mod.ts";
import type { Feeds } from "../ir/engine.ts";
import type { Port } from "../ir/graph.ts";
import { allocate, numbersOf, tensor } from "../ir/tensor.ts";
import type { Tensor } from "../ir/tensor.ts";

/**
 * A sample in the type of the input that takes it. Samples are float32; a model may want indices,
 * a flag or half precision. Integers are rounded towards zero.
 */
export function asPort(t: Tensor, port: Port): Tensor {
  if (t.dtype !== "float32" || port.dtype === "float32") return t;
  const values = numbersOf(t);
  const data = allocate(port.dtype, values.length);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    values.forEach((v, i) => data[i] = BigInt(Math.trunc(v)));
  } else if (port.dtype === "float16") {
    new Float16Array((data as Uint16Array).buffer).set(values);
  } else if (port.dtype === "bool") {
    values.forEach((v, i) => (data as Uint8Array)[i] = v === 0 ? 0 : 1);
  } else {
    (data as Float64Array).set(values);
  }
  return { dtype: port.dtype, shape: t.shape, data };
}

/** Calibration samples in the types of the model's inputs. */
export function typedSamples(set: CalibrationSet, ports: readonly Port[]): CalibrationSet {
  const byName = new Map(ports.map((p) => [p.name, p]));
  return {
    ...set,
    async sample(index) {
      const all = await set.sample(index);
      return new Map([...all].map(([name, t]) => {
        const port = byName.get(name);
        return [name, port === undefined ? t : asPort(t, port)];
      }));
    },
  };
}

/** The same sample as the quantized graph takes it: pictures as int8. */
export function quantizedFeeds(feeds: Feeds, integerInputs: ReadonlySet<string>): Feeds {
  return new Map([...feeds].map(([name, t]): [string, Tensor] => {
    if (!integerInputs.has(name)) return [name, t];
    const values = t.data as Float32Array;
    const q = Int8Array.from(values, (v) => Math.max(-128, Math.min(127, Math.round(v))));
    return [name, tensor("int8", t.shape, q)];
  }));
}
