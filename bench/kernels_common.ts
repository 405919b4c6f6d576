/**
 * What the lines of kernels.ts share.
 *
 * @module
 */

import { arrayOf, Random } from "../src/kernels/cases.ts";

/** A kernel on one shape, with its reference. */
export interface Line {
  /** Table of the report. */
  readonly group: string;
  /** Name in the registry; null for kernels of calibration. */
  readonly row: string | null;
  readonly form: string;
  /** Elements of the larger of input and output. */
  readonly elements: number;
  readonly kernel: () => void;
  readonly reference: () => void;
}

/** Activation types. */
export type Small = "int8" | "int16";

/** The generator of every line. */
export const r = new Random(1);
/** A picture of a middle layer. */
export const H = 56, W = 56, C = 64, N = H * W * C;

/** Evenly spread values of a type. */
export function random(type: Small | "int32", n: number): Int8Array | Int16Array | Int32Array {
  const a = arrayOf(type, n);
  for (let i = 0; i < n; i++) {
    const v = r.next();
    a[i] = type === "int8" ? v >> 24 : type === "int16" ? v >> 16 : v >> 4;
  }
  return a;
}

/** Limits by type. */
export const range = {
  int8: [-128, 127],
  int16: [-32768, 32767],
  int32: [-(2 ** 31), 2 ** 31 - 1],
};

/** No activation, zero point 0. */
export function limits(type: Small | "int32") {
  const [qmin, qmax] = range[type] as [number, number];
  return { yZero: 0, qmin, qmax };
}
