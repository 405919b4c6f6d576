/**
 * Random cases of the integer kernels: the material of the tests, of `deno task conformance` and of the
 * vectors in docs/conformance.
 *
 * @module
 */

import type { Arena } from "./arena.ts";
import type { Executor } from "./executor.ts";

/** Arrays that a case carries. */
export type CaseArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Float32Array;

/** One random call of a kernel. */
export interface Case {
  /** Everything but the arrays; plain JSON. */
  readonly params: Readonly<Record<string, unknown>>;
  readonly inputs: Readonly<Record<string, CaseArray>>;
  /** Runs the WASM kernel. */
  kernel(arena: Arena, executor?: Executor): CaseArray;
  /** Runs the scalar reference. */
  reference(): CaseArray;
}

/** A kernel in the registry. */
export interface KernelRow {
  readonly name: string;
  /** Section of docs/arithmetic.md. */
  readonly section: number | "9c";
  /** Relative number of cases in a mixed run. */
  readonly weight: number;
  make(r: Random): Case;
}

/** Seeded generator (xorshift32), the same sequence everywhere. */
export class Random {
  #s: number;

  constructor(seed: number) {
    this.#s = (Math.imul(seed, 0x9e3779b1) ^ 0x6a09e667) | 1;
    for (let i = 0; i < 8; i++) this.next();
  }

  /** 0 .. 2^32 - 1. */
  next(): number {
    let s = this.#s;
    s ^= s << 13;
    s ^= s >>> 17;
    s ^= s << 5;
    this.#s = s;
    return s >>> 0;
  }

  /** low .. high inclusive. */
  int(low: number, high: number): number {
    return low + Math.floor(this.next() / 2 ** 32 * (high - low + 1));
  }

  chance(p: number): boolean {
    return this.next() < p * 2 ** 32;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.int(0, values.length - 1)]!;
  }

  /** Integers of [low, high]: uniform, or all at the extremes, or near one value. */
  ints<T extends CaseArray>(out: T, low: number, high: number): T {
    const kind = this.int(0, 7), centre = this.int(low, high);
    if (kind === 1 || kind === 2) return out.fill(kind === 1 ? low : high) as T;
    if (kind === 0) {
      for (let i = 0; i < out.length; i++) out[i] = this.chance(0.5) ? low : high;
    } else if (kind === 3) {
      for (let i = 0; i < out.length; i++) {
        out[i] = Math.min(high, Math.max(low, centre + this.int(-3, 3)));
      }
    } else {
      // The same values as this.int(low, high), with the state in a register: most of a case's numbers come from here.
      let s = this.#s;
      const span = high - low + 1;
      for (let i = 0; i < out.length; i++) {
        s ^= s << 13;
        s ^= s >>> 17;
        s ^= s << 5;
        out[i] = low + Math.floor((s >>> 0) / 2 ** 32 * span);
      }
      this.#s = s;
    }
    return out;
  }

  int8(n: number, low = -128, high = 127): Int8Array {
    return this.ints(new Int8Array(n), low, high);
  }

  int16(n: number, low = -32768, high = 32767): Int16Array {
    return this.ints(new Int16Array(n), low, high);
  }

  int32(n: number, low = -(2 ** 31), high = 2 ** 31 - 1): Int32Array {
    return this.ints(new Int32Array(n), low, high);
  }

  /** A multiplier and a shift that bring magnitudes of about `reach` near `target`; sometimes extreme. */
  factor(reach: number, target = 128): { m: number; s: number } {
    if (this.chance(0.08)) return { m: this.int(0, 32767), s: this.int(0, 62) };
    const s = Math.round(Math.log2(Math.max(1, reach * 24576 / target))) + this.int(-2, 2);
    return { m: this.int(16384, 32767), s: Math.min(62, Math.max(0, s)) };
  }

  /** Limits of an output type, sometimes narrowed. */
  limits(type: "int8" | "int16" | "int32"): { yZero: number; qmin: number; qmax: number } {
    const [lo, hi] = type === "int8"
      ? [-128, 127]
      : type === "int16"
      ? [-32768, 32767]
      : [-(2 ** 31), 2 ** 31 - 1];
    const yZero = type === "int8" && this.chance(0.3) ? this.int(-128, 127) : 0;
    if (this.chance(0.6)) return { yZero, qmin: lo, qmax: hi };
    if (this.chance(0.5)) return { yZero, qmin: Math.max(lo, yZero), qmax: hi };
    const qmin = this.int(lo, hi);
    return { yZero, qmin, qmax: this.int(qmin, hi) };
  }
}

/** Copies arrays in, calls f with their offsets, and copies `n` elements of the result out. */
export function inArena<T extends CaseArray>(
  arena: Arena,
  inputs: readonly CaseArray[],
  out: T,
  f: (at: number[], y: number) => void,
): T {
  const mark = arena.mark();
  const at = inputs.map((a) => arena.put(a));
  const y = arena.alloc(out.byteLength);
  // Guard bytes on both sides of the result catch writes out of bounds.
  const guard = arena.alloc(64);
  arena.u8(y, out.byteLength).fill(0x5a);
  arena.u8(guard, 64).fill(0xa5);
  f(at, y);
  const bytes = new Uint8Array(out.buffer, out.byteOffset, out.byteLength);
  bytes.set(arena.u8(y, out.byteLength));
  const broken = arena.u8(guard, 64).some((v) => v !== 0xa5);
  const touched = inputs.some((a, i) => {
    const was = new Uint8Array(a.buffer, a.byteOffset, a.byteLength);
    return differs(was, arena.u8(at[i]!, a.byteLength));
  });
  arena.release(mark);
  if (broken) throw new Error("the kernel wrote behind its output");
  if (touched) throw new Error("the kernel changed an input");
  return out;
}

function differs(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return true;
  return false;
}

/** Array of an integer type. */
export function arrayOf(type: "int8", n: number): Int8Array;
export function arrayOf(type: "int16", n: number): Int16Array;
export function arrayOf(type: "int8" | "int16", n: number): Int8Array | Int16Array;
export function arrayOf(
  type: "int8" | "int16" | "int32",
  n: number,
): Int8Array | Int16Array | Int32Array;
export function arrayOf(
  type: "int8" | "int16" | "int32",
  n: number,
): Int8Array | Int16Array | Int32Array {
  return type === "int8"
    ? new Int8Array(n)
    : type === "int16"
    ? new Int16Array(n)
    : new Int32Array(n);
}

/** Index of the first difference, or -1. */
export function firstDifference(a: CaseArray, b: CaseArray): number {
  if (a.length !== b.length) return Math.min(a.length, b.length);
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return i;
  return -1;
}
