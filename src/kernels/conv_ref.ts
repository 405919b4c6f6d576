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
  const s = a.shape, I = s.inC / s.group, O = s.outC / s.group, T = s.kernelH * s.kernelW;
  const { x, xZero } = a, w = channelsLast(a.weight, s.outC, I, T);
  each(s, (n, oy, ox, o, at) => {
    let acc = a.bias === null ? 0 : a.bias[o]!;
    const first = Math.floor(o / O) * I;
    for (let ky = 0; ky < s.kernelH; ky++) {
      const iy = oy * s.strideH - s.padTop + ky * s.dilationH;
      if (iy < 0 || iy >= s.inH) continue;
      for (let kx = 0; kx < s.kernelW; kx++) {
        const ix = ox * s.strideW - s.padLeft + kx * s.dilationW;
        if (ix < 0 || ix >= s.inW) continue;
        const p = ((n * s.inH + iy) * s.inW + ix) * s.inC + first;
        const q = (o * T + ky * s.kernelW + kx) * I;
        for (let i = 0; i < I; i++) acc += (x[p + i]! - xZero) * w[q + i]!;
      }
    }
    finish(a, acc, o, at);
  });
}

/** [outer][channels][taps] to [outer][taps][channels], the order of the loops. */
function channelsLast(w: Int8Array, outer: number, channels: number, taps: number): Int8Array {
  const out = new Int8Array(w.length);
  for (let o = 0, k = 0; o < outer; o++) {
    for (let i = 0; i < channels; i++) {
      for (let t = 0; t < taps; t++) out[(o * taps + t) * channels + i] = w[k++]!;
    }
  }
  return out;
}

/** Weights [inC][outC / group][kernelH][kernelW]: each input is scattered over its outputs. */
export function convTransposeRef(a: ConvRefArgs): void {
  const s = a.shape, I = s.inC / s.group, O = s.outC / s.group, T = s.kernelH * s.kernelW;
  const acc = new Float64Array(s.batch * s.outH * s.outW * s.outC);
  const w = channelsLast(a.weight, s.inC, O, T);
  for (let n = 0, from = 0; n < s.batch; n++) {
    for (let iy = 0; iy < s.inH; iy++) {
      for (let ix = 0; ix < s.inW; ix++, from += s.inC) {
        for (let ky = 0; ky < s.kernelH; ky++) {
          const oy = iy * s.strideH - s.padTop + ky * s.dilationH;
          if (oy < 0 || oy >= s.outH) continue;
          for (let kx = 0; kx < s.kernelW; kx++) {
            const ox = ix * s.strideW - s.padLeft + kx * s.dilationW;
            if (ox < 0 || ox >= s.outW) continue;
            const to = ((n * s.outH + oy) * s.outW + ox) * s.outC;
            for (let c = 0; c < s.inC; c++) {
              const x = a.x[from + c]! - a.xZero;
              const q = (c * T + ky * s.kernelW + kx) * O, p = to + Math.floor(c / I) * O;
              for (let o = 0; o < O; o++) acc[p + o] = acc[p + o]! + x * w[q + o]!;
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
