/**
 * int8 softmax (docs/arithmetic.md section 9).
 *
 * @module
 */

import type { Arena } from "./arena.ts";
import { roundAway } from "./arithmetic_ref.ts";
import { aligned, atLeast, bytesOf, codeOf, expect, limits, region } from "./check.ts";
import type { View } from "./reduce.ts";

/** Arguments of {@linkcode softmax}, over the middle dimension of x. */
export interface SoftmaxArgs extends View {
  readonly x: number;
  readonly y: number;
  readonly yType: "int8" | "int16";
  /** int16[256]: E[255 + d] = roundAway(exp(scale_x * d) * 32767). */
  readonly exps: number;
  /** h = 15 - log2(1 / scale_y); 8 for the default scale of 2^-7. */
  readonly h: number;
  readonly qmin: number;
  readonly qmax: number;
}

/** The table E for a scale. */
export function softmaxExps(scaleX: number): Int16Array {
  return Int16Array.from(
    { length: 256 },
    (_, i) => roundAway(Math.exp(scaleX * (i - 255)) * 32767),
  );
}

/** The table R: 256 reciprocals, 16384..32768. */
export const reciprocals: Uint16Array = Uint16Array.from(
  { length: 256 },
  (_, i) => roundAway(2 ** 15 * 256 / (256 + i)),
);

/** y = clamp((e * r + 2^(k + h - 1)) >> (k + h)); x is int8 and reduce >= 1. */
export function softmax(arena: Arena, g: SoftmaxArgs): void {
  atLeast(0, "softmax", { outer: g.outer, inner: g.inner });
  atLeast(1, "softmax", { reduce: g.reduce });
  const n = g.outer * g.reduce * g.inner;
  region(arena, "softmax", "x", g.x, n);
  region(arena, "softmax", "y", g.y, n * bytesOf[g.yType]);
  region(arena, "softmax", "exps", g.exps, 512);
  aligned("softmax", "y", g.y, bytesOf[g.yType]);
  expect(Number.isInteger(g.h) && g.h >= 0 && g.h <= 15, "softmax", `h is ${g.h}`);
  limits("softmax", g.yType, 0, g.qmin, g.qmax);
  const exps = arena.i16(g.exps, 256);
  expect(
    exps[255]! > 0 && exps.every((e) => e >= 0),
    "softmax",
    "the table is not one of exponentials",
  );
  const mark = arena.mark();
  const r = arena.put(reciprocals);
  // deno-fmt-ignore
  arena.core.softmax(
    codeOf[g.yType], g.x, g.y, g.outer, g.reduce, g.inner, g.exps, r, g.h, g.qmin, g.qmax,
    arena.alloc(336),
  );
  arena.release(mark);
}
