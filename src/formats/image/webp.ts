/**
 * The chunks of a WebP: size and orientation; and a copy without colour profile and EXIF. (WebP container
 * specification.)
 *
 * @module
 */

import { BpuError } from "../../errors.ts";
import { orientationOf } from "./exif.ts";

/** What the chunks of a WebP say. */
export interface WebpInfo {
  readonly width: number;
  readonly height: number;
  readonly alpha: boolean;
  readonly animated: boolean;
  readonly orientation: number;
  /** The file with ICCP and EXIF chunks renamed, so that nobody reads them. */
  readonly plain: Uint8Array;
}

/** Whether bytes start like a WebP. */
export function isWebp(bytes: Uint8Array): boolean {
  return word(bytes, 0) === "RIFF" && word(bytes, 8) === "WEBP";
}

function word(b: Uint8Array, at: number): string {
  return String.fromCharCode(...b.subarray(at, at + 4));
}

function fail(message: string): never {
  throw new BpuError("format", `this WebP is damaged: ${message}`);
}

/**
 * Walks the chunks.
 *
 * @throws {BpuError} `format` when the file ends early or has no picture.
 */
export function readWebp(bytes: Uint8Array): WebpInfo {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const plain = bytes.slice();
  let size: { width: number; height: number } | undefined;
  let alpha = false;
  let animated = false;
  let orientation = 1;
  let pixels = false;
  if (bytes.length < 20 || view.getUint32(4, true) + 8 > bytes.length) fail("it is truncated");
  for (let at = 12; at + 8 <= bytes.length;) {
    const type = word(bytes, at);
    const length = view.getUint32(at + 4, true);
    const body = at + 8;
    if (body + length > bytes.length) {
      fail(`it ends inside of chunk ${/^\w+ ?$/.test(type) ? type : "?"}`);
    }
    if (type === "VP8X" && length >= 10) {
      const flags = bytes[body]!;
      alpha = (flags & 16) !== 0;
      animated = (flags & 2) !== 0;
      plain[body] = flags & ~(32 | 8 | 4);
      size = { width: 1 + u24(bytes, body + 4), height: 1 + u24(bytes, body + 7) };
    } else if (type === "VP8 " && length >= 10) {
      pixels = true;
      size ??= {
        width: view.getUint16(body + 6, true) & 0x3fff,
        height: view.getUint16(body + 8, true) & 0x3fff,
      };
    } else if (type === "VP8L" && length >= 5) {
      pixels = true;
      const bits = view.getUint32(body + 1, true);
      size ??= { width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff) };
      alpha ||= ((bits >>> 28) & 1) === 1;
    } else if (type === "ANMF") pixels = true;
    else if (type === "EXIF") {
      const block = bytes.subarray(body, body + length);
      orientation = orientationOf(word(block, 0) === "Exif" ? block.subarray(6) : block);
    }
    if (type === "EXIF" || type === "ICCP") plain.set([0x6a, 0x75, 0x6e, 0x6b], at);
    at = body + length + (length & 1);
  }
  if (size === undefined || !pixels) fail("it has no picture");
  if (size.width === 0 || size.height === 0) fail("it has no pixels");
  return { ...size, alpha, animated, orientation, plain };
}

function u24(b: Uint8Array, at: number): number {
  return b[at]! | (b[at + 1]! << 8) | (b[at + 2]! << 16);
}
