/**
 * Scalar reference of conv.ts, straight from docs/arithmetic.md section 4.
 *
 * @module
 */

import { clamp, requantOf } from "./arithmetic_ref.ts";
import type { ConvShape } from "./conv_shape.ts";

/** Arguments; arrays in the place of pointers, weights in ONNX order. */
export interface ConvRefArgs {
  readonly x: Int8Array | Int16Array;
  readonly y: Int8Array | Int16Array | Int32Array;
  readonly weight: Int8Array;
  readonly bias: Int32Array | null;
  readonly multiplier: Int16Array;
  readonly shift: Int8Array;
  readonly shape: ConvShape;
  readonly xZero: number;
  readonly yZero: number;
  readonly qmin: number;
  readonly qmax: number;
}

export function convRef(a: ConvRefArgs): void {
  const s = a.shape, I = s.inC / s.group, O = s.outC / s.group;
  each(s, (n, oy, ox, o, at) => {
    let acc = a.bias === null ? 0 : a.bias[o]!;
    const g = Math.floor(o / O);
    for (let i = 0; i < I; i++) {
      for (let ky = 0; ky < s.kernelH; ky++) {
        const iy = oy * s.strideH - s.padTop + ky * s.dilationH;
        if (iy < 0 || iy >= s.inH) continue;
        for (let kx = 0; kx < s.kernelW; kx++) {
          const ix = ox * s.strideW - s.padLeft + kx * s.dilationW;
          if (ix < 0 || ix >= s.inW) continue;
          const x = a.x[((n * s.inH + iy) * s.inW + ix) * s.inC + g * I + i]!;
          acc += (x - a.xZero) * a.weight[((o * I + i) * s.kernelH + ky) * s.kernelW + kx]!;
        }
      }
    }
    finish(a, acc, o, at);
  });
}

/** Weights [inC][outC / group][kernelH][kernelW]: each input is scattered over its outputs. */
export function convTransposeRef(a: ConvRefArgs): void {
  const s = a.shape, I = s.inC / s.group, O = s.outC / s.group;
  const acc = new Float64Array(s.batch * s.outH * s.outW * s.outC);
  for (let n = 0; n < s.batch; n++) {
    for (let iy = 0; iy < s.inH; iy++) {
      for (let ix = 0; ix < s.inW; ix++) {
        for (let c = 0; c < s.inC; c++) {
          const x = a.x[((n * s.inH + iy) * s.inW + ix) * s.inC + c]! - a.xZero;
          const g = Math.floor(c / I);
          for (let o = 0; o < O; o++) {
            for (let ky = 0; ky < s.kernelH; ky++) {
              for (let kx = 0; kx < s.kernelW; kx++) {
                const oy = iy * s.strideH - s.padTop + ky * s.dilationH;
                const ox = ix * s.strideW - s.padLeft + kx * s.dilationW;
                if (oy < 0 || oy >= s.outH || ox < 0 || ox >= s.outW) continue;
                acc[((n * s.outH + oy) * s.outW + ox) * s.outC + g * O + o]! += x *
                  a.weight[((c * O + o) * s.kernelH + ky) * s.kernelW + kx]!;
              }
            }
          }
        }
      }
    }
  }
  each(s, (_n, _y, _x, o, at) => finish(a, acc[at]! + (a.bias === null ? 0 : a.bias[o]!), o, at));
}

function finish(a: ConvRefArgs, acc: number, o: number, at: number): void {
  const q = a.y instanceof Int32Array
    ? acc
    : requantOf(acc, a.multiplier[o]!, a.shift[o]!) + a.yZero;
  a.y[at] = clamp(q, a.qmin, a.qmax);
}

function each(
  s: ConvShape,
  f: (n: number, oy: number, ox: number, o: number, at: number) => void,
): void {
  let at = 0;
  for (let n = 0; n < s.batch; n++) {
    for (let oy = 0; oy < s.outH; oy++) {
      for (let ox = 0; ox < s.outW; ox++) {
        for (let o = 0; o < s.outC; o++) f(n, oy, ox, o, at++);
      }
    }
  }
}
