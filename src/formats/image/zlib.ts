/**
 * zlib streams through the platform's own (de)compression, with a known output size, and CRC-32.
 *
 * @module
 */

/** Inflates to exactly `size` bytes; stops reading there. `fail` is called on damage and on too little. */
export async function inflate(
  parts: readonly Uint8Array[],
  size: number,
  fail: (message: string) => never,
): Promise<Uint8Array> {
  const out = new Uint8Array(size);
  let filled = 0;
  const source = new ReadableStream<BufferSource>({
    start(controller) {
      for (const p of parts) controller.enqueue(p as Uint8Array<ArrayBuffer>);
      controller.close();
    },
  });
  const reader = source.pipeThrough(new DecompressionStream("deflate")).getReader();
  try {
    while (filled < size) {
      const { done, value } = await reader.read();
      if (done) break;
      const piece = value.subarray(0, size - filled);
      out.set(piece, filled);
      filled += piece.length;
    }
  } catch {
    // A wrong checksum behind the last byte is no reason to refuse: all pixels are there.
    if (filled < size) fail("its compressed data cannot be read");
  } finally {
    reader.cancel().catch(() => {});
  }
  if (filled < size) fail(`its pixel data ends after ${filled} of ${size} bytes`);
  return out;
}

/** Deflates into a zlib stream. */
export async function deflate(bytes: Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream()
    .pipeThrough(new CompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const table = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

/** CRC-32 as in PNG and zip. */
export function crc32(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (const b of bytes) c = table[(c ^ b) & 255]! ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}
