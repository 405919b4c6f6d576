/**
 * Pictures on the kernels: copied into a memory of their own, computed there, copied out. Where there is
 * no such memory, or a picture is too large for it, the scalar references do the same bit for bit.
 *
 * @module
 */

import { Arena } from "../../kernels/arena.ts";

/** Values of a picture. */
export type Values = Uint8Array | Float32Array | Float64Array;

/** The memory does not shrink: what needs more than this is not worth keeping it. */
const MOST = 2 ** 28;

let shared: Arena | undefined;
let refused = false;

function memory(): Arena | undefined {
  if (shared !== undefined || refused) return shared;
  try {
    shared = Arena.create({ initialBytes: 2 ** 20, maximumBytes: 2 * MOST });
  } catch {
    refused = true; // No shared memory here: some browsers want headers for it.
  }
  return shared;
}

/**
 * Computes `y` from `x`.
 *
 * @param scratch bytes that the kernel allocates itself
 * @param kernel gets the memory and where `x` and `y` are in it
 * @param reference fills the array that it is given
 */
export function computed<T extends Values>(
  x: Values,
  y: T,
  scratch: number,
  kernel: (arena: Arena, x: number, y: number) => void,
  reference: (y: T) => void,
): T {
  const arena = x.byteLength + y.byteLength + scratch > MOST ? undefined : memory();
  if (arena === undefined) {
    reference(y);
    return y;
  }
  const mark = arena.mark();
  try {
    const from = arena.put(x), to = arena.alloc(y.byteLength, 16);
    kernel(arena, from, to);
    new Uint8Array(y.buffer, y.byteOffset, y.byteLength).set(arena.u8(to, y.byteLength));
    return y;
  } finally {
    arena.release(mark);
  }
}
