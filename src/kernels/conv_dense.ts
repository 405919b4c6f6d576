/**
 * Dense and grouped convolution by the 4 x 8 tiles of core-as/micro: weight packing and the job block.
 *
 * A layer is cut into strips of output rows that fit the cache; a strip is widened and padded once, then every
 * panel of 8 channels runs over its pixels. A transposed convolution is one such layer per output phase.
 *
 * @module
 */

import type { Arena } from "./arena.ts";
import { codeOf } from "./check.ts";
import type { ConvArgs, PackOptions } from "./conv.ts";
import {
  channelTables,
  endConstants,
  partSize,
  type Plan,
  type Tables,
  type WeightAt,
} from "./conv_plan.ts";
import type { ConvShape } from "./conv_shape.ts";

/** A layer with its weight panels for int16 and for non-negative int8 activations; 0 when not packed. */
export interface DensePart extends Plan {
  readonly d16: number;
  readonly rd8: number;
}

/** Longest reduction whose two partial sums of int16 activations stay inside int32. */
export const longestWide = 65536;

export function packDense(
  arena: Arena,
  s: ConvShape,
  plan: Plan,
  at: WeightAt,
  options: PackOptions,
): DensePart {
  const both = options.nonNegative === undefined;
  return {
    ...plan,
    d16: both || !options.nonNegative ? panels(arena, s, plan, at, 2) : 0,
    rd8: both || options.nonNegative ? panels(arena, s, plan, at, 4) : 0,
  };
}

/** Whether the taps of one kernel row are contiguous in memory. */
function joined(s: ConvShape, p: Plan): boolean {
  return s.group === 1 && p.dilationW === 1;
}

/** Reduction per run and steps of it, `lanes` values per step. */
function runOf(s: ConvShape, p: Plan, lanes: number): { runs: number; steps: number } {
  const I = s.inC / s.group;
  const kw = p.tapsW.length;
  return joined(s, p) && kw > 0
    ? { runs: 1, steps: Math.ceil(kw * I / lanes) }
    : { runs: kw, steps: Math.ceil(I / lanes) };
}

export function panelsOf(s: ConvShape): number {
  return Math.ceil(s.outC / s.group / 8);
}

/** [group][panel][ky][run][step][8 channels][lanes], zero padded: float32 for 1 lane, int16 for 2, int8 for 4. */
export function panels(
  arena: Arena,
  s: ConvShape,
  p: Plan,
  at: WeightAt,
  lanes: 1 | 2 | 4,
): number {
  const I = s.inC / s.group, O = s.outC / s.group;
  const { runs, steps } = runOf(s, p, lanes);
  const perRow = runs * steps * 8 * lanes;
  const size = s.group * panelsOf(s) * p.tapsH.length * perRow;
  const ptr = arena.alloc(size * (lanes === 1 ? 4 : lanes === 2 ? 2 : 1) + 16);
  const out = lanes === 1
    ? arena.f32(ptr, size)
    : lanes === 2
    ? arena.i16(ptr, size)
    : arena.i8(ptr, size);
  out.fill(0);
  const kw = p.tapsW.length, single = runs === kw && kw !== 1;
  for (let o = 0; o < s.outC; o++) {
    const g = Math.floor(o / O), panel = Math.floor((o % O) / 8), lane = (o % O) % 8;
    const base = (g * panelsOf(s) + panel) * p.tapsH.length;
    for (let y = 0; y < p.tapsH.length; y++) {
      for (let x = 0; x < kw; x++) {
        const ky = p.tapsH[y]!, kx = p.tapsW[x]!;
        const first = single ? 0 : x * I;
        const from = (base + y) * perRow + ((single ? x : 0) * steps * 8 + lane) * lanes;
        for (let i = 0; i < I; i++) {
          const k = first + i, part = k & (lanes - 1);
          out[from + (k - part) * 8 + part] = at(o, i, ky, kx);
        }
      }
    }
  }
  return ptr;
}

/** Bytes of activations per strip: a good part of a 512 KiB second-level cache. */
const stripBytes = 224 * 1024;
const header = 512;

/** A layer ready to run: the job block and how it may be cut. */
export interface DenseJob {
  readonly block: number;
  readonly strips: number;
  readonly panels: number;
  readonly scratchBytes: number;
}

/** What a job block says beside the geometry. */
export interface DenseSource {
  readonly x: number;
  readonly y: number;
  readonly weights: number;
  readonly tables: Tables;
  readonly constants: number;
  /** Type codes; float32 has that of int32. */
  readonly xCode: number;
  readonly yCode: number;
  readonly xZero: number;
  /** 0 int8 widened, 1 non-negative int8, 2 int16 in two parts, 3 float32. */
  readonly kind: 0 | 1 | 2 | 3;
}

/** What the parts of a layer share, in arena scratch. */
export interface Ends {
  readonly tables: Tables;
  readonly constants: number;
}

/** Writes the per-channel tables and constants of a layer. */
export function denseEnds(arena: Arena, a: ConvArgs): Ends {
  const best = a.yType === "int8" ? 0 : a.yType === "int32" ? 2 : a.yZero === 0 ? 1 : 3;
  return {
    tables: channelTables(arena, a, a.shape.group, 8, best),
    constants: endConstants(arena, a),
  };
}

/** Writes the job block of one part into arena scratch. */
export function denseJob(
  arena: Arena,
  a: ConvArgs,
  part: DensePart,
  rd8: boolean,
  ends: Ends,
): DenseJob {
  return denseBlock(arena, a.shape, part, {
    x: a.x,
    y: a.y,
    weights: rd8 ? part.rd8 : part.d16,
    ...ends,
    xCode: codeOf[a.xType],
    yCode: codeOf[a.yType],
    xZero: a.xZero,
    kind: a.xType === "int16" ? 2 : rd8 ? 1 : 0,
  });
}

/** Writes the job block. */
export function denseBlock(arena: Arena, s: ConvShape, part: Plan, from: DenseSource): DenseJob {
  const kind = from.kind;
  const lanes = ([2, 4, 2, 1] as const)[kind], size = ([2, 1, 2, 4] as const)[kind];
  const kh = part.tapsH.length, kw = part.tapsW.length;
  const { partH, partW } = partSize(s, part);
  const high = (partH - 1) * part.strideH + (kh - 1) * part.dilationH + 1;
  const broad = (partW - 1) * part.strideW + (kw - 1) * part.dilationW + 1;
  const unpadded = part.padTop === 0 && part.padLeft === 0 && high <= s.inH && broad <= s.inW;
  const flat = unpadded && kh === 1 && kw === 1 && part.stepY === 1 && part.stepX === 1 &&
    part.strideH === 1 && part.strideW === 1 && s.inH === s.outH && s.inW === s.outW;
  const batch = flat ? 1 : s.batch;
  const inH = flat ? s.batch * s.inH * s.inW : s.inH, inW = flat ? 1 : s.inW;
  const outH = flat ? inH : partH, outW = flat ? 1 : partW;
  const inPlace = (kind === 1 || kind === 3) && unpadded;
  const cols = inPlace || flat ? inW : Math.max(1, broad);
  const rowBytes = part.strideH * cols * s.inC * size;
  const rows = Math.min(
    Math.max(1, Math.floor(Math.min(stripBytes / rowBytes, 16384 / Math.max(1, outW)))),
    Math.max(1, outH),
  );
  const perImage = Math.ceil(outH / rows);
  const { runs, steps } = runOf(s, part, lanes);
  const tall = Math.max(0, (rows - 1) * part.strideH + (kh - 1) * part.dilationH + 1);
  const data = inPlace ? 0 : tall * cols * s.inC * size + 96;
  const ysize = s.outC;
  const block = arena.alloc(40 * 4);
  // deno-fmt-ignore
  arena.i32(block, 40).set([
    from.x, from.y, from.weights, from.tables.bias, from.tables.mul, from.tables.modes,
    from.constants, 0, inH, inW, s.inC, outH,
    outW, kh, kw, part.strideH, part.strideW, part.padTop,
    part.padLeft, part.dilationH, part.dilationW, s.inC / s.group, s.outC / s.group, s.group,
    flat ? ysize : part.stepY * s.outW * ysize, part.stepX * ysize,
    (part.firstY * s.outW + part.firstX) * ysize, s.outH * s.outW * ysize, from.xCode, from.yCode,
    from.xZero, kind, steps, runs,
    rows, inPlace ? 1 : 0, cols, perImage, panelsOf(s),
  ]);
  return {
    block,
    strips: outW === 0 || outH === 0 ? 0 : batch * perImage,
    panels: panelsOf(s) * s.group,
    scratchBytes: header + rows * outW * 8 + kh * runs * 4 + 16 + data * (kind === 2 ? 2 : 1),
  };
}

/** Runs every strip and panel of a job on this thread. */
export function runDense(arena: Arena, job: DenseJob): void {
  const scratch = arena.alloc(job.scratchBytes);
  for (let s = 0; s < job.strips; s++) {
    arena.micro.denseStrip(job.block, s, scratch);
    arena.micro.densePanels(job.block, s, scratch, 0, job.panels);
  }
}
