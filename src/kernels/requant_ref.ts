/**
 * Scalar reference of requant.ts.
 *
 * @module
 */

import { clamp, shiftRound } from "./arithmetic_ref.ts";
import type { RequantArgs } from "./requant.ts";

type Args = Omit<RequantArgs, "x" | "y" | "n"> & {
  readonly x: Int8Array | Uint8Array | Int16Array | Int32Array;
  readonly y: Int8Array | Int16Array | Int32Array;
};

export function requantRef(g: Args): void {
  for (let i = 0; i < g.x.length; i++) {
    g.y[i] = clamp(shiftRound((g.x[i]! - g.xZero) * g.m, g.s) + g.yZero, g.qmin, g.qmax);
  }
}
