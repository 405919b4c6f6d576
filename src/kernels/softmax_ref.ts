/**
 * Scalar reference of softmax.ts.
 *
 * @module
 */

import { clamp, floorLog2, roundAway, shiftRound } from "./arithmetic_ref.ts";
import type { View } from "./reduce.ts";

type Args = View & { readonly h: number; readonly qmin: number; readonly qmax: number };

export function softmaxRef(x: Int8Array, y: Int8Array | Int16Array, E: Int16Array, g: Args): void {
  for (let o = 0; o < g.outer; o++) {
    for (let i = 0; i < g.inner; i++) {
      const at = (k: number) => (o * g.reduce + k) * g.inner + i;
      let top = -128, sum = 0;
      for (let k = 0; k < g.reduce; k++) top = Math.max(top, x[at(k)]!);
      const e = (k: number) => E[255 + x[at(k)]! - top]!;
      for (let k = 0; k < g.reduce; k++) sum += e(k);
      const k2 = floorLog2(sum);
      const index = Math.floor(sum * 256 * 2 ** -k2) - 256;
      const r = roundAway(2 ** 15 * 256 / (256 + index));
      for (let k = 0; k < g.reduce; k++) {
        y[at(k)] = clamp(shiftRound(e(k) * r, k2 + g.h), g.qmin, g.qmax);
      }
    }
  }
}
