/**
 * The memory that kernels work in: one shared WebAssembly memory with a bump allocator, and the two
 * kernel modules instantiated on it.
 *
 * @module
 */

import { BpuError } from "../errors.ts";
import coreModule from "./core_mod.js";
import microModule from "./micro_mod.js";
import type { CoreExports, MicroExports } from "./exports.ts";

/** Below this address lie the modules' static data and the constants that kernels load. */
const heapBase = 65536;
/** Constants for micro-kernels (V8 rebuilds vector constants at each use; a load is cheaper). */
export const constantsAt = 256;
/** Argument block of the call in progress. */
export const paramsAt = 49152;
export const paramsBytes = 8192;
/** Kernels may read this many bytes behind a buffer. */
const slack = 256;
const page = 65536;

/** Options of {@linkcode Arena.create}. */
export interface ArenaOptions {
  /** Bytes at the start; default 1 MiB. */
  readonly initialBytes?: number;
  /** Largest size; default 2 GiB, at most 4 GiB. */
  readonly maximumBytes?: number;
}

/** A position of the allocator, from {@linkcode Arena.mark}. */
export type Mark = number & { readonly mark: unique symbol };

/**
 * A kernel memory. The memory is always shared, so that worker threads can be added at any time; growing
 * it never invalidates a view.
 *
 * @example
 * ```ts
 * import { Arena } from "./arena.ts";
 * const arena = Arena.create();
 * const mark = arena.mark();
 * const x = arena.put(Int8Array.of(1, 2, 3));
 * console.log(arena.i8(x, 3)[2]); // 3
 * arena.release(mark);
 * ```
 */
export class Arena {
  readonly memory: WebAssembly.Memory;
  readonly core: CoreExports;
  readonly micro: MicroExports;
  readonly #maximum: number;
  #top: number = heapBase;
  #peak: number = heapBase;

  private constructor(memory: WebAssembly.Memory, maximum: number) {
    this.memory = memory;
    this.#maximum = maximum;
    const imports = { env: { memory } };
    this.core = new WebAssembly.Instance(coreModule, imports).exports as unknown as CoreExports;
    this.micro = new WebAssembly.Instance(microModule, imports).exports as unknown as MicroExports;
    writeConstants(memory);
  }

  /** Makes a memory. Throws `BpuError("limit")` when the sizes are out of range. */
  static create(options: ArenaOptions = {}): Arena {
    const maximum = options.maximumBytes ?? 2 ** 31;
    const initial = Math.max(options.initialBytes ?? 2 ** 20, heapBase + page);
    if (!(maximum >= heapBase + page && maximum <= 2 ** 32 && initial <= maximum)) {
      throw new BpuError(
        "limit",
        `a kernel memory of ${initial} to ${maximum} bytes is impossible`,
      );
    }
    try {
      const memory = new WebAssembly.Memory({
        initial: Math.ceil(initial / page),
        maximum: Math.floor(maximum / page),
        shared: true,
      });
      return new Arena(memory, Math.floor(maximum / page) * page);
    } catch (cause) {
      throw new BpuError("limit", `the system refuses a kernel memory of ${initial} bytes`, {
        cause,
      });
    }
  }

  /** Bytes allocated now, and the most ever. */
  get used(): number {
    return this.#top - heapBase;
  }

  get peak(): number {
    return this.#peak - heapBase;
  }

  /** Reserves bytes and returns their offset. Contents are undefined. Throws `BpuError("limit")`. */
  alloc(bytes: number, align = 16): number {
    if (!(Number.isSafeInteger(bytes) && bytes >= 0)) {
      throw new BpuError("internal", `${bytes} bytes cannot be allocated`);
    }
    const at = Math.ceil(this.#top / align) * align;
    const end = at + bytes;
    const have = this.memory.buffer.byteLength;
    if (end + slack > have) {
      if (end + slack > this.#maximum) throw this.#full(bytes);
      const want = Math.min(
        this.#maximum,
        Math.max(end + slack, Math.min(have * 2, have + 2 ** 28)),
      );
      try {
        this.memory.grow(Math.ceil((want - have) / page));
      } catch (cause) {
        throw this.#full(bytes, cause);
      }
    }
    this.#top = end;
    this.#peak = Math.max(this.#peak, end);
    return at;
  }

  #full(bytes: number, cause?: unknown): BpuError {
    return new BpuError(
      "limit",
      `the kernel memory is full: ${bytes} more bytes do not fit into ${this.#maximum}`,
      { hint: "Use a smaller model or input, or a larger limit.", cause },
    );
  }

  /** The allocator's position; {@linkcode release} frees everything allocated after it. */
  mark(): Mark {
    return this.#top as Mark;
  }

  release(mark: Mark): void {
    this.#top = mark;
  }

  /** Allocates and copies an array in; returns its offset. */
  put(
    data:
      | Int8Array
      | Uint8Array
      | Int16Array
      | Uint16Array
      | Int32Array
      | Float32Array
      | Float64Array,
  ): number {
    const at = this.alloc(data.byteLength);
    this.u8(at, data.byteLength).set(
      new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    );
    return at;
  }

  /** Whether `bytes` bytes at `at` lie inside the heap. */
  holds(at: number, bytes: number): boolean {
    return at >= heapBase && bytes >= 0 && at + bytes + slack <= this.memory.buffer.byteLength;
  }

  i8(at: number, n: number): Int8Array {
    return new Int8Array(this.memory.buffer, at, n);
  }
  u8(at: number, n: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, at, n);
  }
  i16(at: number, n: number): Int16Array {
    return new Int16Array(this.memory.buffer, at, n);
  }
  u16(at: number, n: number): Uint16Array {
    return new Uint16Array(this.memory.buffer, at, n);
  }
  i32(at: number, n: number): Int32Array {
    return new Int32Array(this.memory.buffer, at, n);
  }
  i64(at: number, n: number): BigInt64Array {
    return new BigInt64Array(this.memory.buffer, at, n);
  }
  f32(at: number, n: number): Float32Array {
    return new Float32Array(this.memory.buffer, at, n);
  }
  f64(at: number, n: number): Float64Array {
    return new Float64Array(this.memory.buffer, at, n);
  }
}

function writeConstants(memory: WebAssembly.Memory): void {
  new Int16Array(memory.buffer, constantsAt, 8).fill(1); // ones: second operand of the pairwise add
  new Float32Array(memory.buffer, constantsAt + 48, 4).fill(-0);
  // Masks that interleave three planes (colour.ts): byte i of 48 is byte i / 3 of plane i % 3.
  const masks = new Uint8Array(memory.buffer, constantsAt + 128, 144);
  for (let i = 0; i < 48; i++) {
    for (let plane = 0; plane < 3; plane++) {
      const at = Math.floor(i / 16) * 48 + plane * 16 + i % 16;
      masks[at] = i % 3 === plane ? Math.floor(i / 3) : 0x80;
    }
  }
  new Int16Array(memory.buffer, constantsAt + 272, 8).fill(128);
  new Int16Array(memory.buffer, constantsAt + 288, 8).fill(255);
  // For quantize8.ts, quantize_exact.ts and quantize16.ts.
  new Float32Array(memory.buffer, constantsAt + 304, 4).fill(8194);
  new Int32Array(memory.buffer, constantsAt + 320, 4).fill(16383);
  new Int32Array(memory.buffer, constantsAt + 336, 4).fill(4);
  new Float64Array(memory.buffer, constantsAt + 352, 2).fill(0.5 + 2 ** -30);
  new Float64Array(memory.buffer, constantsAt + 368, 2).fill(-0);
  new Float64Array(memory.buffer, constantsAt + 384, 2).fill(1.5 * 2 ** 25);
  new Float64Array(memory.buffer, constantsAt + 400, 2).fill(4098);
  new Int32Array(memory.buffer, constantsAt + 416, 4).fill(8191);
  // For micro/requant.ts.
  new Float32Array(memory.buffer, constantsAt + 432, 4).fill(2 ** -16);
  new Float32Array(memory.buffer, constantsAt + 448, 4).fill(2 ** 15 + 2);
}
