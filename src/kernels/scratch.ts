/**
 * A small kernel memory for kernels that take plain arrays: data passes through it in blocks.
 *
 * @module
 */

import { Arena } from "./arena.ts";

/** Elements of one float32 block: half of a second-level cache. */
const block = 32768;

/** The memory with two blocks at `at` (the second behind the first) and 64 bytes for results at `out`. */
export interface Scratch {
  readonly arena: Arena;
  readonly block: number;
  /** Pairs of float32 that fit into the second block. */
  readonly rows: number;
  readonly at: number;
  readonly out: number;
}

let shared: Scratch | null = null;

/** Made on first use; calls do not overlap because kernels are synchronous. */
export function scratch(): Scratch {
  if (shared === null) {
    const arena = Arena.create({ maximumBytes: 2 ** 28 });
    shared = {
      arena,
      block,
      rows: block / 2,
      at: arena.alloc(2 * block * 4),
      out: arena.alloc(64),
    };
  }
  return shared;
}
