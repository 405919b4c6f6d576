/**
 * Scalar references of resize.ts.
 *
 * @module
 */

import { shiftRound } from "./arithmetic_ref.ts";
import type { LinearAxis, ResizeShape } from "./resize.ts";

type Ints = Int8Array | Int16Array | Int32Array;

export function resizeNearestRef(
  x: Ints,
  y: Ints,
  g: ResizeShape,
  indexH: Int32Array,
  indexW: Int32Array,
): void {
  pixels(g, (n, i, j, c, at) => {
    y[at] = x[((n * g.inH + indexH[i]!) * g.inW + indexW[j]!) * g.channels + c]!;
  });
}

export function resizeLinearRef(
  x: Ints,
  y: Ints,
  g: ResizeShape,
  h: LinearAxis,
  w: LinearAxis,
): void {
  pixels(g, (n, i, j, c, at) => {
    const tap = (r: number, k: number) => x[((n * g.inH + r) * g.inW + k) * g.channels + c]!;
    const wh = h.w[i]!, ww = w.w[j]!;
    const sum = tap(h.i0[i]!, w.i0[j]!) * (2048 - wh) * (2048 - ww) +
      tap(h.i0[i]!, w.i1[j]!) * (2048 - wh) * ww +
      tap(h.i1[i]!, w.i0[j]!) * wh * (2048 - ww) +
      tap(h.i1[i]!, w.i1[j]!) * wh * ww;
    y[at] = shiftRound(sum, 22);
  });
}

function pixels(
  g: ResizeShape,
  f: (n: number, i: number, j: number, c: number, at: number) => void,
): void {
  let at = 0;
  for (let n = 0; n < g.batch; n++) {
    for (let i = 0; i < g.outH; i++) {
      for (let j = 0; j < g.outW; j++) for (let c = 0; c < g.channels; c++) f(n, i, j, c, at++);
    }
  }
}
