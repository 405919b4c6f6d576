/**
 * Scalar references of pool.ts.
 *
 * @module
 */

import { clamp, requantOf } from "./arithmetic_ref.ts";
import type { AvgPoolArgs, PoolShape } from "./pool.ts";

type Ints = Int8Array | Int16Array | Int32Array;

export function maxPoolRef(x: Ints, y: Ints, s: PoolShape, qmin: number, qmax: number): void {
  windows(
    x,
    s,
    (taps, at) => y[at] = clamp(taps.reduce((a, b) => Math.max(a, b), qmin), qmin, qmax),
  );
}

export function avgPoolRef(
  x: Ints,
  y: Ints,
  multipliers: Int16Array,
  shifts: Int8Array,
  g: Omit<AvgPoolArgs, "x" | "y" | "multipliers" | "shifts">,
): void {
  windows(x, g.shape, (taps, at) => {
    const acc = taps.reduce((sum, v) => sum + v - g.xZero, 0);
    const n = g.countIncludePad ? g.shape.kernelH * g.shape.kernelW : taps.length;
    y[at] = clamp(requantOf(acc, multipliers[n]!, shifts[n]!) + g.yZero, g.qmin, g.qmax);
  });
}

function windows(x: Ints, s: PoolShape, f: (taps: number[], at: number) => void): void {
  let at = 0;
  for (let n = 0; n < s.batch; n++) {
    for (let oy = 0; oy < s.outH; oy++) {
      for (let ox = 0; ox < s.outW; ox++) {
        for (let c = 0; c < s.inC; c++) {
          const taps: number[] = [];
          for (let ky = 0; ky < s.kernelH; ky++) {
            for (let kx = 0; kx < s.kernelW; kx++) {
              const iy = oy * s.strideH - s.padTop + ky * s.dilationH;
              const ix = ox * s.strideW - s.padLeft + kx * s.dilationW;
              if (iy < 0 || iy >= s.inH || ix < 0 || ix >= s.inW) continue;
              taps.push(x[((n * s.inH + iy) * s.inW + ix) * s.inC + c]!);
            }
          }
          f(taps, at++);
        }
      }
    }
  }
}
