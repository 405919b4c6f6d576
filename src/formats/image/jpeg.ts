/**
 * The segments of a JPEG: size, components, orientation; and a copy without metadata, because the codec
 * would apply orientation and colour profiles on its own. (ITU-T T.81, EXIF 2.3.)
 *
 * @module
 */

import { BpuError } from "../../errors.ts";
import { orientationOf } from "./exif.ts";

/** What the segments of a JPEG say. */
export interface JpegInfo {
  readonly width: number;
  readonly height: number;
  /** 1 grey, 3 colour, 4 CMYK or YCCK. */
  readonly components: number;
  /** Bits per sample. */
  readonly precision: number;
  /** EXIF orientation, 1 to 8. */
  readonly orientation: number;
  /** The file without APPn segments other than JFIF and Adobe, and without comments. */
  readonly plain: Uint8Array;
}

/** Whether bytes start like a JPEG. */
export function isJpeg(bytes: Uint8Array): boolean {
  return bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff;
}

function fail(message: string): never {
  throw new BpuError("format", `this JPEG is damaged: ${message}`);
}

/**
 * Walks the segments.
 *
 * @throws {BpuError} `format` when the file ends early or has no frame.
 */
export function readJpeg(bytes: Uint8Array): JpegInfo {
  const kept: [number, number][] = [[0, 2]];
  let frame: { width: number; height: number; components: number; precision: number } | undefined;
  let orientation = 1;
  let at = 2;
  for (;;) {
    while (bytes[at] === 0xff && bytes[at + 1] === 0xff) at++;
    if (at + 4 > bytes.length) fail("it ends before the picture");
    if (bytes[at] !== 0xff) fail(`byte ${at} is not the start of a segment`);
    const marker = bytes[at + 1]!;
    if (marker === 0xd9) fail("it has no picture");
    if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) {
      at += 2;
      continue;
    }
    const end = at + 2 + ((bytes[at + 2]! << 8) | bytes[at + 3]!);
    if (end > bytes.length || end < at + 4) fail("it ends inside of a segment");
    const body = bytes.subarray(at + 4, end);
    const frameMarker = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 &&
      marker !== 0xcc;
    if (frameMarker && frame === undefined) {
      if (body.length < 6) fail("its frame header is too short");
      frame = {
        precision: body[0]!,
        height: (body[1]! << 8) | body[2]!,
        width: (body[3]! << 8) | body[4]!,
        components: body[5]!,
      };
    }
    if (marker === 0xe1 && isExif(body)) orientation = orientationOf(body.subarray(6));
    const application = marker >= 0xe0 && marker <= 0xef;
    if (!(application && marker !== 0xe0 && marker !== 0xee) && marker !== 0xfe) {
      kept.push([at, end]);
    }
    at = end;
    if (marker === 0xda) break;
  }
  if (frame === undefined) fail("it has no frame header");
  if (frame.width === 0 || frame.height === 0) fail("it has no pixels");
  const last = endOfImage(bytes, at);
  if (last < 0) fail("it is truncated: the end marker is missing");
  kept.push([at, last + 2]);
  const plain = new Uint8Array(kept.reduce((n, [a, b]) => n + b - a, 0));
  let to = 0;
  for (const [a, b] of kept) {
    plain.set(bytes.subarray(a, b), to);
    to += b - a;
  }
  return { ...frame, orientation, plain };
}

function isExif(body: Uint8Array): boolean {
  return String.fromCharCode(...body.subarray(0, 4)) === "Exif";
}

/** Offset of the end marker that closes this picture, or -1. */
function endOfImage(bytes: Uint8Array, from: number): number {
  for (let i = from; i + 1 < bytes.length; i++) {
    if (bytes[i] === 0xff && bytes[i + 1] === 0xd9) return i;
  }
  return -1;
}
