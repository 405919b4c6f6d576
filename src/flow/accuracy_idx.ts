/**
 * Pictures and labels in the idx format of the MNIST files, gzipped or not.
 *
 * @module
 */

import { BpuError } from "../errors.ts";
import type { PictureSource } from "./accuracy_eval.ts";

/** Largest unpacked file. */
const LIMIT = 1 << 28;

async function unpacked(bytes: Uint8Array, file: string): Promise<Uint8Array> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const parts: Uint8Array[] = [];
  let total = 0;
  try {
    const stream = new Blob([bytes.slice()]).stream().pipeThrough(new DecompressionStream("gzip"));
    for await (const part of stream) {
      total += part.length;
      if (total > LIMIT) throw new BpuError("limit", "the unpacked file is too large", { file });
      parts.push(part);
    }
  } catch (cause) {
    if (cause instanceof BpuError) throw cause;
    throw new BpuError("format", "the gzip data is damaged", { file, cause });
  }
  const out = new Uint8Array(total);
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}

function body(bytes: Uint8Array, rank: number, file: string): { dims: number[]; data: Uint8Array } {
  const head = 4 + 4 * rank;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < head || view.getUint32(0) !== 0x800 + rank) {
    throw new BpuError("format", `this is no idx file of bytes with ${rank} dimensions`, { file });
  }
  const dims = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  const data = bytes.subarray(head);
  if (data.length !== dims.reduce((a, b) => a * b, 1)) {
    throw new BpuError(
      "format",
      `the idx file says ${dims.join("x")} values and holds ${data.length}`,
      {
        file,
      },
    );
  }
  return { dims, data };
}

/** Grey pictures as RGB; picture i is named by its number. */
export async function idxPictures(bytes: Uint8Array, file: string): Promise<PictureSource> {
  const { dims, data } = body(await unpacked(bytes, file), 3, file);
  const [count, height, width] = dims as [number, number, number];
  return {
    count,
    name: String,
    read: (i) =>
      Promise.resolve({
        width,
        height,
        channels: 3,
        data: Uint8Array.from(
          { length: 3 * width * height },
          (_, k) => data[i * width * height + Math.floor(k / 3)]!,
        ),
      }),
  };
}

/** Labels by the number of the picture. */
export async function idxLabels(bytes: Uint8Array, file: string): Promise<Map<string, number>> {
  const { data } = body(await unpacked(bytes, file), 1, file);
  return new Map([...data].map((v, i): [string, number] => [String(i), v]));
}
