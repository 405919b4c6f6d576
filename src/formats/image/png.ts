/**
 * PNG, all colour types and depths, decoded to exactly the stored values: no gamma, no colour
 * management, no premultiplied alpha. (W3C PNG specification, third edition.)
 *
 * @module
 */

import { BpuError } from "../../errors.ts";
import { crc32, inflate } from "./zlib.ts";

/** A decoded PNG. Palettes are expanded; `transparent` tells whether there is alpha. */
export interface PngImage {
  readonly width: number;
  readonly height: number;
  /** 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA. */
  readonly channels: 1 | 2 | 3 | 4;
  /** Bits per sample in the file. */
  readonly depth: number;
  /** 8-bit samples; of 16-bit ones the high byte, as PIL and OpenCV read them. */
  readonly data: Uint8Array;
  /** 16-bit samples, when the file has them. */
  readonly data16: Uint16Array | undefined;
  /** The EXIF block, if any. */
  readonly exif: Uint8Array | undefined;
}

/** Header fields of a PNG. */
export interface PngHeader {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly colour: number;
  readonly interlaced: boolean;
}

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];

/** Whether bytes start like a PNG. */
export function isPng(bytes: Uint8Array): boolean {
  return SIGNATURE.every((b, i) => bytes[i] === b);
}

interface Chunk {
  readonly type: string;
  readonly data: Uint8Array;
}

function fail(message: string): never {
  throw new BpuError("format", `this PNG is damaged: ${message}`);
}

function u32(b: Uint8Array, at: number): number {
  return ((b[at]! << 24) | (b[at + 1]! << 16) | (b[at + 2]! << 8) | b[at + 3]!) >>> 0;
}

/** Chunks up to IEND; critical ones must have a right checksum. */
function* chunks(bytes: Uint8Array): Generator<Chunk> {
  let at = 8;
  while (at + 12 <= bytes.length) {
    const length = u32(bytes, at);
    const end = at + 12 + length;
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (end > bytes.length) fail(`it ends inside of chunk ${/^\w{4}$/.test(type) ? type : "?"}`);
    const critical = (bytes[at + 4]! & 32) === 0;
    if (critical && crc32(bytes.subarray(at + 4, end - 4)) !== u32(bytes, end - 4)) {
      fail(`the checksum of chunk ${type} is wrong`);
    }
    yield { type, data: bytes.subarray(at + 8, end - 4) };
    if (type === "IEND") return;
    at = end;
  }
}

/** Reads the header. */
export function pngHeader(bytes: Uint8Array): PngHeader {
  if (!isPng(bytes)) fail("it does not start with PNG's signature");
  const first = chunks(bytes).next().value;
  if (first === undefined || first.type !== "IHDR" || first.data.length !== 13) {
    fail("it has no header");
  }
  const d = first.data;
  const header = {
    width: u32(d, 0),
    height: u32(d, 4),
    depth: d[8]!,
    colour: d[9]!,
    interlaced: d[12] === 1,
  };
  const depths = new Map([[0, [1, 2, 4, 8, 16]], [2, [8, 16]], [3, [1, 2, 4, 8]], [4, [8, 16]], [
    6,
    [8, 16],
  ]]).get(header.colour);
  if (depths === undefined) fail(`colour type ${header.colour} does not exist`);
  if (!depths.includes(header.depth)) {
    fail(`bit depth ${header.depth} does not go with colour type ${header.colour}`);
  }
  if (d[10] !== 0 || d[11] !== 0 || d[12]! > 1) fail("its compression or interlacing is unknown");
  if (header.width === 0 || header.height === 0) fail("it has no pixels");
  return header;
}

const SAMPLES = new Map([[0, 1], [2, 3], [3, 1], [4, 2], [6, 4]]);

/** The seven passes of Adam7: first column, first row, column step, row step. */
const ADAM7 = [[0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [
  0,
  1,
  1,
  2,
]] as const;

/**
 * Decodes a PNG.
 *
 * @throws {BpuError} `format` on damage, truncation, a missing palette. The caller limits width * height
 * (see {@linkcode pngHeader}); memory stays in proportion to that.
 */
export async function decodePng(bytes: Uint8Array): Promise<PngImage> {
  const header = pngHeader(bytes);
  const parts: Uint8Array[] = [];
  let palette: Uint8Array | undefined;
  let key: Uint8Array | undefined;
  let exif: Uint8Array | undefined;
  for (const chunk of chunks(bytes)) {
    if (chunk.type === "PLTE") palette = chunk.data;
    else if (chunk.type === "tRNS") key = chunk.data;
    else if (chunk.type === "eXIf") exif = chunk.data;
    else if (chunk.type === "IDAT") parts.push(chunk.data);
  }
  if (parts.length === 0) fail("it has no pixel data");
  if (header.colour === 3 && (palette === undefined || palette.length < 3)) {
    fail("it has no palette");
  }
  const samples = SAMPLES.get(header.colour)!;
  const passes = (header.interlaced ? ADAM7 : [[0, 0, 1, 1]] as const).map(([x, y, dx, dy]) => ({
    x,
    y,
    dx,
    dy,
    w: Math.max(0, Math.ceil((header.width - x) / dx)),
    h: Math.max(0, Math.ceil((header.height - y) / dy)),
  })).filter((p) => p.w > 0 && p.h > 0);
  const rowBytes = (w: number) => Math.ceil(w * samples * header.depth / 8);
  const size = passes.reduce((n, p) => n + p.h * (1 + rowBytes(p.w)), 0);
  const raw = await inflate(parts, size, fail);
  const values = new Uint16Array(header.width * header.height * samples);
  let at = 0;
  for (const p of passes) {
    const stride = rowBytes(p.w);
    unfilter(raw.subarray(at, at + p.h * (1 + stride)), p.h, stride, samples * header.depth);
    for (let j = 0; j < p.h; j++) {
      const row = raw.subarray(at + j * (1 + stride) + 1, at + (j + 1) * (1 + stride));
      unpack(row, header.depth, samples, p.w, (i, s, v) => {
        values[((p.y + j * p.dy) * header.width + p.x + i * p.dx) * samples + s] = v;
      });
    }
    at += p.h * (1 + stride);
  }
  return { ...colours(header, values, palette, key), exif };
}

/** Undoes the row filters in place; each row has its filter byte in front. */
function unfilter(raw: Uint8Array, rows: number, stride: number, bits: number): void {
  const bpp = Math.max(1, bits >> 3);
  for (let j = 0; j < rows; j++) {
    const at = j * (1 + stride);
    const filter = raw[at]!;
    if (filter > 4) fail(`row filter ${filter} does not exist`);
    const up = at - (1 + stride);
    for (let i = 1; i <= stride; i++) {
      const a = i > bpp ? raw[at + i - bpp]! : 0;
      const b = j > 0 ? raw[up + i]! : 0;
      if (filter === 1) raw[at + i]! += a;
      else if (filter === 2) raw[at + i]! += b;
      else if (filter === 3) raw[at + i]! += (a + b) >> 1;
      else if (filter === 4) raw[at + i]! += paeth(a, b, i > bpp && j > 0 ? raw[up + i - bpp]! : 0);
    }
  }
}

function paeth(a: number, b: number, c: number): number {
  const p = a + b - c;
  const pa = Math.abs(p - a), pb = Math.abs(p - b), pc = Math.abs(p - c);
  return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
}

function unpack(
  row: Uint8Array,
  depth: number,
  samples: number,
  width: number,
  put: (x: number, sample: number, value: number) => void,
): void {
  for (let i = 0; i < width; i++) {
    for (let s = 0; s < samples; s++) {
      const k = i * samples + s;
      if (depth === 8) put(i, s, row[k]!);
      else if (depth === 16) put(i, s, (row[2 * k]! << 8) | row[2 * k + 1]!);
      else {
        const bit = k * depth;
        put(i, s, (row[bit >> 3]! >> (8 - depth - (bit & 7))) & ((1 << depth) - 1));
      }
    }
  }
}

/** Expands palettes and transparent colours, scales to 8 bits. */
function colours(
  h: PngHeader,
  values: Uint16Array,
  palette: Uint8Array | undefined,
  key: Uint8Array | undefined,
): Omit<PngImage, "exif"> {
  const pixels = h.width * h.height;
  const base = { width: h.width, height: h.height, depth: h.depth };
  if (h.colour === 3) {
    const colors = Math.floor(palette!.length / 3);
    const channels = key === undefined ? 3 : 4;
    const data = new Uint8Array(pixels * channels);
    for (let i = 0; i < pixels; i++) {
      const index = values[i]!;
      if (index >= colors) fail(`a pixel has colour ${index}, the palette has ${colors}`);
      for (let c = 0; c < 3; c++) data[i * channels + c] = palette![index * 3 + c]!;
      if (key !== undefined) data[i * 4 + 3] = key[index] ?? 255;
    }
    return { ...base, channels, data, data16: undefined };
  }
  const samples = SAMPLES.get(h.colour)!;
  // tRNS names one colour, in the depth of the file.
  const keyed = key !== undefined && (h.colour === 0 || h.colour === 2) &&
    key.length >= 2 * samples;
  const channels = (samples + (keyed ? 1 : 0)) as PngImage["channels"];
  const top = (1 << h.depth) - 1;
  const wide = h.depth === 16 ? new Uint16Array(pixels * channels) : undefined;
  const data = new Uint8Array(pixels * channels);
  for (let i = 0; i < pixels; i++) {
    let same = keyed;
    for (let s = 0; s < samples; s++) {
      const v = values[i * samples + s]!;
      if (keyed && v !== (((key[2 * s]! << 8) | key[2 * s + 1]!) & top)) same = false;
      data[i * channels + s] = wide === undefined ? v * (255 / top) : v >> 8;
      if (wide !== undefined) wide[i * channels + s] = v;
    }
    if (keyed) {
      data[i * channels + samples] = same ? 0 : 255;
      if (wide !== undefined) wide[i * channels + samples] = same ? 0 : 65535;
    }
  }
  return { ...base, channels, data, data16: wide };
}
