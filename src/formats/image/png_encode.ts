/**
 * Writes PNG.
 *
 * @module
 */

import { BpuError } from "../../errors.ts";
import { type Picture, toBytes } from "./picture.ts";
import { crc32, deflate } from "./zlib.ts";

/**
 * A picture as PNG bytes (8 bits; 1, 3 or 4 channels). The same picture gives the same bytes on the same
 * platform version.
 *
 * @example
 * ```ts
 * import { encodePng } from "./png_encode.ts";
 * const red = { width: 1, height: 1, channels: 3, data: Uint8Array.of(255, 0, 0) };
 * console.log((await encodePng(red)).length > 60); // true
 * ```
 */
export async function encodePng(picture: Picture): Promise<Uint8Array> {
  const { width, height, channels, data } = toBytes(picture);
  const colour = new Map([[1, 0], [2, 4], [3, 2], [4, 6]]).get(channels);
  if (colour === undefined || width < 1 || height < 1) {
    throw new BpuError("shape", `a PNG cannot hold ${width}x${height}x${channels}`);
  }
  const stride = width * channels;
  const raw = new Uint8Array(height * (stride + 1));
  for (let j = 0; j < height; j++) {
    const row = data.subarray(j * stride, (j + 1) * stride);
    const at = j * (stride + 1);
    // The filter "left" for every row: good for drawings and photographs alike, and cheap.
    raw[at] = 1;
    for (let i = 0; i < stride; i++) {
      raw[at + 1 + i] = row[i]! - (i >= channels ? row[i - channels]! : 0);
    }
  }
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, colour, 0, 0, 0], 8);
  const pieces = [
    Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10),
    chunk("IHDR", header),
    chunk("IDAT", await deflate(raw)),
    chunk("IEND", new Uint8Array(0)),
  ];
  const out = new Uint8Array(pieces.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of pieces) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const out = new Uint8Array(12 + data.length);
  const view = new DataView(out.buffer);
  view.setUint32(0, data.length);
  for (let i = 0; i < 4; i++) out[4 + i] = type.charCodeAt(i);
  out.set(data, 8);
  view.setUint32(8 + data.length, crc32(out.subarray(4, 8 + data.length)));
  return out;
}
