/**
 * Bound checks shared by the wrappers, and the codes that the modules use for element types.
 *
 * @module
 */

import { BpuError } from "../errors.ts";
import { type Arena, paramsAt } from "./arena.ts";

/** Element types of the integer kernels. */
export type IntType = "int8" | "uint8" | "int16" | "int32";

export const codeOf: Readonly<Record<IntType, number>> = { int8: 0, uint8: 1, int16: 2, int32: 3 };
export const bytesOf: Readonly<Record<IntType, number>> = { int8: 1, uint8: 1, int16: 2, int32: 4 };

const rangeOf: Readonly<Record<IntType, readonly [number, number]>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
  int32: [-(2 ** 31), 2 ** 31 - 1],
};

/** Smallest and largest value of a type. */
export function typeRange(t: IntType): readonly [number, number] {
  return rangeOf[t];
}

/** Throws `BpuError("internal")`: the caller broke a kernel's contract. */
export function refuse(kernel: string, what: string): never {
  throw new BpuError("internal", `${kernel}: ${what}`);
}

export function expect(ok: boolean, kernel: string, what: string): void {
  if (!ok) refuse(kernel, what);
}

/** A buffer of `count` elements must lie inside the arena, aligned. */
export function region(
  arena: Arena,
  kernel: string,
  name: string,
  at: number,
  bytes: number,
): void {
  if (!Number.isSafeInteger(bytes) || !arena.holds(at, bytes)) {
    refuse(kernel, `${name} (${bytes} bytes at ${at}) is outside the kernel memory`);
  }
}

export function aligned(kernel: string, name: string, at: number, size: number): void {
  if (at % size !== 0) refuse(kernel, `${name} at ${at} is not aligned to ${size} bytes`);
}

/** Integers, each at least `low`. */
export function atLeast(
  low: number,
  kernel: string,
  values: Readonly<Record<string, number>>,
): void {
  for (const name in values) {
    const v = values[name]!;
    if (!(Number.isSafeInteger(v) && v >= low && v < 2 ** 31)) {
      refuse(kernel, `${name} is ${v}, not an integer of at least ${low}`);
    }
  }
}

/** A multiplier (16-bit, signed) and a shift. */
export function factor(kernel: string, m: number, s: number): void {
  if (!(Number.isInteger(m) && Math.abs(m) <= 32768 && Number.isInteger(s) && s >= 0 && s <= 62)) {
    refuse(kernel, `the factor ${m} >> ${s} is not a multiplier of 16 bits and a shift of 0 to 62`);
  }
}

/** Zero points and limits of the output type. */
export function limits(kernel: string, t: IntType, zero: number, qmin: number, qmax: number): void {
  const [lo, hi] = rangeOf[t];
  const ok = Number.isInteger(qmin) && Number.isInteger(qmax) && Number.isInteger(zero) &&
    qmin >= lo && qmax <= hi && zero >= lo && zero <= hi && qmin <= qmax;
  if (!ok) refuse(kernel, `limits ${qmin}..${qmax} and zero point ${zero} do not fit ${t}`);
}

export function zeroPoint(kernel: string, t: IntType, zero: number): void {
  const [lo, hi] = rangeOf[t];
  if (!(Number.isInteger(zero) && zero >= lo && zero <= hi)) {
    refuse(kernel, `zero point ${zero} does not fit ${t}`);
  }
}

/** Writes 32-bit words into the argument block; returns its address. */
export function params(arena: Arena, words: readonly number[]): number {
  arena.i32(paramsAt, words.length).set(words);
  return paramsAt;
}
