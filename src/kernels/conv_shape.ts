/**
 * Geometry of convolutions and pools.
 *
 * @module
 */

import type { Arena } from "./arena.ts";
import { atLeast, expect, params } from "./check.ts";

/**
 * A convolution, transposed convolution or pool over NHWC pictures. Taps outside the picture contribute
 * nothing, whatever `padBottom` and `padRight` say: `outH` and `outW` decide which outputs exist.
 */
export interface ConvShape {
  readonly batch: number;
  readonly inH: number;
  readonly inW: number;
  readonly inC: number;
  readonly outC: number;
  readonly outH: number;
  readonly outW: number;
  readonly kernelH: number;
  readonly kernelW: number;
  readonly strideH: number;
  readonly strideW: number;
  readonly padTop: number;
  readonly padLeft: number;
  readonly padBottom: number;
  readonly padRight: number;
  readonly dilationH: number;
  readonly dilationW: number;
  readonly group: number;
}

/** Throws `BpuError("internal")` unless the shape is usable. */
export function checkShape(kernel: string, s: ConvShape): void {
  const { padTop, padLeft, batch, inH, inW, outH, outW, ...positive } = s;
  const { padBottom: _b, padRight: _r, ...rest } = positive;
  atLeast(1, kernel, rest);
  atLeast(0, kernel, { padTop, padLeft, batch, inH, inW, outH, outW });
  expect(s.inC % s.group === 0 && s.outC % s.group === 0, kernel, "group does not divide channels");
  const reach = Math.max(
    s.outH * s.strideH + s.kernelH * s.dilationH + s.padTop,
    s.outW * s.strideW + s.kernelW * s.dilationW + s.padLeft,
    s.inH * s.strideH,
    s.inW * s.strideW,
    s.batch * s.outH,
    s.kernelH * s.kernelW,
  );
  expect(reach < 2 ** 31, kernel, "the geometry exceeds 32 bits");
}

/** The geometry block that the modules read. */
export function geometry(
  arena: Arena,
  s: ConvShape,
  transposed: boolean,
  rowFrom = 0,
  rowTo = s.batch * s.outH,
): number {
  return params(arena, [
    ...[s.batch, s.inH, s.inW, s.inC, s.outC, s.outH, s.outW, s.kernelH, s.kernelW],
    ...[s.strideH, s.strideW, s.padTop, s.padLeft, s.dilationH, s.dilationW, s.group],
    ...[transposed ? 1 : 0, rowFrom, rowTo],
  ]);
}

export function inputElements(s: ConvShape): number {
  return s.batch * s.inH * s.inW * s.inC;
}

export function outputElements(s: ConvShape): number {
  return s.batch * s.outH * s.outW * s.outC;
}
