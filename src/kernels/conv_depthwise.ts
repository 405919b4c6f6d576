/**
 * Depthwise convolution by the 4 x 4 blocks of core-as/micro: weight packing and the job block.
 *
 * @module
 */

import type { Arena } from "./arena.ts";
import { codeOf } from "./check.ts";
import type { ConvArgs } from "./conv.ts";
import { channelTables, endConstants, partSize, type Plan, type WeightAt } from "./conv_plan.ts";
import type { ConvShape } from "./conv_shape.ts";

/** A layer with its weights, [plane][row pair][column][4 channels][2 rows] int16. */
export interface DepthwisePart extends Plan {
  readonly weights: number;
}

export function packDepthwise(arena: Arena, s: ConvShape, p: Plan, at: WeightAt): DepthwisePart {
  const planes = Math.ceil(s.outC / 4), kh = p.tapsH.length, kw = p.tapsW.length;
  const pairs = pairsOf(p), sets = parity(p) ? 2 : 1;
  const size = planes * sets * pairs * kw * 8;
  const weights = arena.alloc(size * 2);
  const w = arena.i16(weights, size).fill(0);
  for (let o = 0; o < s.outC; o++) {
    for (let y = 0; y < kh; y++) {
      for (let x = 0; x < kw; x++) {
        const v = at(o, 0, p.tapsH[y]!, p.tapsW[x]!);
        for (let set = 0; set < sets; set++) {
          const row = y + set;
          const vector = (((o >> 2) * sets + set) * pairs + (row >> 1)) * kw + x;
          w[vector * 8 + (o & 3) * 2 + (row & 1)] = v;
        }
      }
    }
  }
  return { ...p, weights };
}

/** Whether row pairs serve even and odd output rows: a second set of weights is one row lower. */
function parity(p: Plan): boolean {
  return p.strideH === 1 && p.dilationH === 1;
}

function pairsOf(p: Plan): number {
  const kh = p.tapsH.length;
  return kh === 0 ? 0 : parity(p) ? (kh >> 1) + 1 : Math.ceil(kh / 2);
}

/** A layer ready to run. */
export interface DepthwiseJob {
  readonly block: number;
  readonly strips: number;
  readonly planes: number;
  readonly scratchBytes: number;
}

/** Bytes of planes per strip of 16 channels. */
const stripBytes = 100 * 1024;

/** Writes the per-channel tables and the job block into arena scratch. */
export function depthwiseJob(arena: Arena, a: ConvArgs, part: DepthwisePart): DepthwiseJob {
  const s = a.shape, wide = a.xType === "int16";
  const kh = part.tapsH.length, kw = part.tapsW.length, pairs = pairsOf(part);
  const { partH, partW } = partSize(s, part);
  const cols = (Math.ceil(partW / 4) * 4 - 1) * part.strideW +
    Math.max(0, kw - 1) * part.dilationW + 1;
  const both = parity(part);
  const step = both ? 2 : gcd(part.strideH, 2 * part.dilationH);
  const tall = Math.max(0, pairs - 1) * 2 * part.dilationH;
  const columnBytes = wide ? 128 : 32;
  const fit = Math.floor((stripBytes / (cols * columnBytes) * step - tall) / part.strideH);
  // An even number of rows keeps the pairs of every strip in step.
  const rows = Math.max(2, Math.min(fit & ~1, partH + 1 & ~1));
  const pairRows = Math.floor(((rows - 1) * part.strideH + tall) / step) + 1;
  const planes = Math.ceil(s.outC / 4);
  const best = a.yType === "int8" ? 0 : a.yType === "int16" && a.yZero === 0 ? 1 : 3;
  const { bias, mul, modes } = channelTables(arena, a, 1, 4, best);
  if (!wide) leaveOutZero(arena, part, arena.i32(bias, planes * 4), s.outC, a.xZero);
  const square = kh === 3 && kw === 3 && part.dilationW === 1;
  const variant = wide ? 3 : square && part.strideW <= 2 ? part.strideW : 0;
  const perImage = Math.ceil(partH / rows);
  const block = arena.alloc(36 * 4);
  // deno-fmt-ignore
  arena.i32(block, 36).set([
    a.x, a.y, part.weights, bias, mul, modes,
    endConstants(arena, a), s.outC / s.inC, s.inH, s.inW, s.inC,
    partH, partW, pairs, kw, part.strideH, part.strideW,
    part.padTop, part.padLeft, part.dilationH, part.dilationW, s.outC, step,
    rows, part.stepY * s.outW * s.outC, part.stepX * s.outC,
    (part.firstY * s.outW + part.firstX) * s.outC, s.outH * s.outW * s.outC, codeOf[a.xType],
    codeOf[a.yType], a.xZero, variant, cols, perImage, pairRows, both ? 1 : 0,
  ]);
  return {
    block,
    strips: partH === 0 || partW === 0 ? 0 : s.batch * perImage,
    planes,
    scratchBytes: 512 + pairRows * cols * columnBytes + 64,
  };
}

/** A strip holds the zero point outside the picture: the zero point's share of a sum is the same for every output. */
function leaveOutZero(
  arena: Arena,
  p: DepthwisePart,
  bias: Int32Array,
  outC: number,
  zero: number,
): void {
  if (zero === 0) return;
  const vectors = pairsOf(p) * p.tapsW.length, plane = vectors * 8 * (parity(p) ? 2 : 1);
  const w = arena.i16(p.weights, Math.ceil(outC / 4) * plane);
  for (let o = 0; o < outC; o++) {
    const first = (o >> 2) * plane + (o & 3) * 2;
    let sum = 0;
    for (let v = 0; v < vectors; v++) sum += w[first + v * 8]! + w[first + v * 8 + 1]!;
    // Sums of the kernel wrap around like this difference.
    bias[o] = bias[o]! - zero * sum;
  }
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

/** Runs every strip and block of planes on this thread. */
export function runDepthwise(arena: Arena, job: DepthwiseJob): void {
  const scratch = arena.alloc(job.scratchBytes);
  for (let s = 0; s < job.strips; s++) {
    for (let p = 0; p < job.planes; p += 4) arena.micro.depthwise(job.block, s, p, scratch);
  }
}
