/**
 * A convolution as stride-regular layers: itself, or one per output phase of a transposed one.
 *
 * @module
 */

import type { Arena } from "./arena.ts";
import { codeOf } from "./check.ts";
import type { ConvArgs } from "./conv.ts";
import type { ConvShape } from "./conv_shape.ts";

/** One layer: taps in their order, and where its outputs go. */
export interface Plan {
  readonly tapsH: readonly number[];
  readonly tapsW: readonly number[];
  readonly strideH: number;
  readonly strideW: number;
  readonly padTop: number;
  readonly padLeft: number;
  readonly dilationH: number;
  readonly dilationW: number;
  /** First output row and column, and the steps between outputs of this part. */
  readonly firstY: number;
  readonly firstX: number;
  readonly stepY: number;
  readonly stepX: number;
}

/** Weight of output channel o (of all), input channel i (of its group) and tap (ky, kx). */
export type WeightAt = (o: number, i: number, ky: number, kx: number) => number;

/** The layers of a convolution. Transposed ones must not be dilated. */
export function plansOf(s: ConvShape, transposed: boolean): Plan[] {
  return transposed ? phases(s) : [{
    tapsH: range(s.kernelH),
    tapsW: range(s.kernelW),
    strideH: s.strideH,
    strideW: s.strideW,
    padTop: s.padTop,
    padLeft: s.padLeft,
    dilationH: s.dilationH,
    dilationW: s.dilationW,
    ...{ firstY: 0, firstX: 0, stepY: 1, stepX: 1 },
  }];
}

/** Outputs of a part along each axis. */
export function partSize(s: ConvShape, p: Plan): { partH: number; partW: number } {
  return {
    partH: Math.max(0, Math.ceil((s.outH - p.firstY) / p.stepY)),
    partW: Math.max(0, Math.ceil((s.outW - p.firstX) / p.stepX)),
  };
}

/** Output phases of a transposed convolution without dilation: each is a convolution of stride 1. */
function phases(s: ConvShape): Plan[] {
  const axis = (stride: number, kernel: number, pad: number, out: number) =>
    range(Math.min(stride, out)).map((first) => {
      const r = (first + pad) % stride, q = (first + pad - r) / stride;
      const taps = range(kernel).filter((k) => k % stride === r).reverse();
      return { first, taps, pad: taps.length - 1 - q };
    });
  const rows = axis(s.strideH, s.kernelH, s.padTop, s.outH);
  const cols = axis(s.strideW, s.kernelW, s.padLeft, s.outW);
  return rows.flatMap((h) =>
    cols.map((w) => ({
      tapsH: h.taps,
      tapsW: w.taps,
      ...{ strideH: 1, strideW: 1, dilationH: 1, dilationW: 1 },
      padTop: h.pad,
      padLeft: w.pad,
      firstY: h.first,
      firstX: w.first,
      stepY: s.strideH,
      stepX: s.strideW,
    }))
  );
}

function range(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}

/** Whether relaxed multiply-adds round once on this machine; the same for every module of a process. */
let fuses: boolean | undefined;

function fusesMadd(arena: Arena): boolean {
  fuses ??= arena.core.maddOf(1 + 2 ** -12, 1 + 2 ** -12, -(1 + 2 ** -11)) === 2 ** -24;
  return fuses;
}

/** Per-channel tables of the tiles: biases, factors and how each panel of `lanes` channels ends. */
export interface Tables {
  readonly bias: number;
  readonly mul: number;
  readonly modes: number;
}

/** Writes the tables of `groups` times `og` channels. `best` is the mode of panels with usual factors. */
export function channelTables(
  arena: Arena,
  a: ConvArgs,
  groups: number,
  lanes: 4 | 8,
  best: number,
): Tables {
  const og = a.shape.outC / groups, panels = Math.ceil(og / lanes) * groups;
  const bias = arena.alloc(panels * lanes * 4), mul = arena.alloc(panels * lanes * 4);
  const modes = arena.alloc(panels);
  // deno-fmt-ignore
  arena.core.channelTables(
    a.bias, a.multiplier, a.shift, groups, og, lanes, a.yType === "int32" ? 0 : 1, best, bias, mul, modes,
  );
  if (best === 0 && a.packed.sums !== 0 && a.xType === "int8" && fusesMadd(arena)) {
    const reach = Math.max(Math.abs(-128 - a.xZero), Math.abs(127 - a.xZero));
    // deno-fmt-ignore
    arena.core.floatTables(
      a.bias, a.multiplier, a.shift, a.packed.sums, reach, groups, og, lanes, mul, modes,
    );
  }
  return { bias, mul, modes };
}

/** Vector constants (128 bytes), then the finish block (core-as/micro/finish.ts). */
export function endConstants(arena: Arena, a: ConvArgs): number {
  const at = arena.alloc(160);
  const clamp16 = (v: number) => Math.max(-32768, Math.min(32767, v));
  const clamp8 = (v: number) => Math.max(-128, Math.min(127, v));
  arena.i32(at, 4).set([0x80000000 | 0, 0, 0x80000000 | 0, 0]);
  arena.i16(at + 16, 8).fill(clamp16(a.yZero));
  arena.i8(at + 32, 16).fill(clamp8(a.qmin));
  arena.i8(at + 48, 16).fill(clamp8(a.qmax));
  arena.i16(at + 64, 8).fill(clamp16(a.qmin));
  arena.i16(at + 80, 8).fill(clamp16(a.qmax));
  arena.i32(at + 96, 4).fill(a.qmin);
  arena.i32(at + 112, 4).fill(a.qmax);
  const words = [a.multiplier, a.shift, codeOf[a.yType], a.yZero, a.qmin, a.qmax, 0, 0];
  arena.i32(at + 128, 8).set(words);
  return at;
}
