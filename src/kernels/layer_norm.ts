/**
 * Normalisation of rows (docs/arithmetic.md section 9c).
 *
 * @module
 */

import type { Arena } from "./arena.ts";
import { roundAway } from "./arithmetic_ref.ts";
import {
  aligned,
  atLeast,
  bytesOf,
  codeOf,
  expect,
  factor,
  limits,
  region,
  zeroPoint,
} from "./check.ts";

/** Arguments of {@linkcode layerNorm} besides the buffers. */
export interface NormSpec {
  readonly rows: number;
  /** Elements of a row, at most 65536. */
  readonly n: number;
  readonly xType: "int8" | "int16";
  readonly yType: "int8" | "int16" | "int32";
  /** Of int8 only; without meaning where the mean is taken off. */
  readonly xZero: number;
  /** Whether the mean of a row is taken off; without, a row is divided by its root mean square. */
  readonly mean: boolean;
  /** In the unit of the variance, below 2^53. */
  readonly epsilon: number;
  readonly s: number;
  readonly yZero: number;
  readonly qmin: number;
  readonly qmax: number;
}

/** Arguments of {@linkcode layerNorm}. */
export interface NormArgs extends NormSpec {
  readonly x: number;
  readonly y: number;
  /** int32[193]: {@linkcode inverseRoots}. */
  readonly roots: number;
  /** Factors of the elements of a row: int16[n]. */
  readonly m: number;
  /** Biases of the elements of a row, times 2^s: int32[n]. */
  readonly b: number;
}

/** Segments of 128 between 2^13 and 2^15, the normalised variance. */
const SEGMENTS = 192;

/** The table R: 2^15 / sqrt(u / 2^13) at the ends of the segments of u. */
export const inverseRoots: Int32Array = Int32Array.from(
  { length: SEGMENTS + 1 },
  (_, i) => roundAway(2 ** 15 * Math.sqrt(64 / (64 + i))),
);

/** y = clamp(((h * m[k] + b[k] + 2^(s-1)) >> s) + yZero), h the row normalised in steps of 2^-15. */
export function layerNorm(arena: Arena, g: NormArgs): void {
  const name = "layerNorm";
  atLeast(0, name, { rows: g.rows });
  atLeast(1, name, { n: g.n });
  expect(g.n <= 65536, name, `rows of ${g.n} elements are longer than 65536`);
  const xBytes = bytesOf[g.xType], yBytes = bytesOf[g.yType];
  region(arena, name, "x", g.x, g.rows * g.n * xBytes);
  region(arena, name, "y", g.y, g.rows * g.n * yBytes);
  region(arena, name, "roots", g.roots, 4 * inverseRoots.length);
  region(arena, name, "m", g.m, 2 * g.n);
  region(arena, name, "b", g.b, 4 * g.n);
  aligned(name, "x", g.x, xBytes);
  aligned(name, "y", g.y, yBytes);
  aligned(name, "roots", g.roots, 4);
  aligned(name, "m", g.m, 2);
  aligned(name, "b", g.b, 4);
  factor(name, 0, g.s);
  zeroPoint(name, g.xType, g.xZero);
  expect(g.xType === "int8" || g.xZero === 0, name, "x is int16 and has a zero point");
  limits(name, g.yType, g.yZero, g.qmin, g.qmax);
  expect(
    Number.isInteger(g.epsilon) && g.epsilon >= 0 && g.epsilon < 2 ** 53,
    name,
    `epsilon is ${g.epsilon}`,
  );
  expect(
    arena.i32(g.roots, inverseRoots.length).every((r) => r >= 0 && r <= 32768),
    name,
    "the table is not one of inverse roots",
  );
  const mark = arena.mark();
  // deno-fmt-ignore
  arena.core.layerNorm(
    codeOf[g.xType], codeOf[g.yType], g.x, g.y, g.rows, g.n, g.xZero, Number(g.mean), g.roots, g.m, g.b,
    g.s, g.epsilon, g.yZero, g.qmin, g.qmax, arena.alloc(64 * Math.ceil(g.n / 4)),
  );
  arena.release(mark);
}
