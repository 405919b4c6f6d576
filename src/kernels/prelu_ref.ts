/**
 * Scalar reference of prelu.ts.
 *
 * @module
 */

import { clamp, shiftRound } from "./arithmetic_ref.ts";
import type { PreluArgs } from "./prelu.ts";

type Args = Omit<PreluArgs, "x" | "y" | "mNeg" | "sNeg"> & {
  readonly x: Int8Array | Int16Array;
  readonly y: Int8Array | Int16Array;
  readonly mNeg: Int16Array;
  readonly sNeg: Int8Array;
};

export function preluRef(g: Args): void {
  for (let i = 0; i < g.x.length; i++) {
    const c = Math.floor(i / g.inner) % g.channels, v = g.x[i]! - g.xZero;
    const q = v >= 0 ? shiftRound(v * g.mPos, g.sPos) : shiftRound(v * g.mNeg[c]!, g.sNeg[c]!);
    g.y[i] = clamp(q + g.yZero, g.qmin, g.qmax);
  }
}
