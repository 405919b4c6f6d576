/**
 * Samples as the stages take them.
 *
 * @module
 */

import type { Feeds } from "../ir/engine.ts";
import { tensor } from "../ir/tensor.ts";
import type { Tensor } from "../ir/tensor.ts";

/** The same sample as the quantized graph takes it: pictures as int8. */
export function quantizedFeeds(feeds: Feeds, integerInputs: ReadonlySet<string>): Feeds {
  return new Map([...feeds].map(([name, t]): [string, Tensor] => {
    if (!integerInputs.has(name)) return [name, t];
    const values = t.data as Float32Array;
    const q = Int8Array.from(values, (v) => Math.max(-128, Math.min(127, Math.round(v))));
    return [name, tensor("int8", t.shape, q)];
  }));
}
