/**
 * Scalar reference of copy.ts.
 *
 * @module
 */

import type { CopyArgs } from "./copy.ts";

type Args = Pick<CopyArgs, "dims" | "srcStrides" | "dstStrides">;

/** `src0` and `dst0` are the positions of index 0 in the arrays. */
export function copyStridedRef(
  src: Uint8Array | Uint16Array | Uint32Array | Float64Array,
  src0: number,
  dst: Uint8Array | Uint16Array | Uint32Array | Float64Array,
  dst0: number,
  g: Args,
): void {
  const count = g.dims.reduce((p, d) => p * d, 1);
  for (let i = 0; i < count; i++) {
    let rest = i, s = src0, t = dst0;
    for (let k = g.dims.length - 1; k >= 0; k--) {
      const at = rest % g.dims[k]!;
      rest = (rest - at) / g.dims[k]!;
      s += at * g.srcStrides[k]!;
      t += at * g.dstStrides[k]!;
    }
    dst[t] = src[s]!;
  }
}
