/**
 * PRelu with a factor per channel (docs/arithmetic.md section 5).
 *
 * @module
 */

import type { Arena } from "./arena.ts";
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

/** Arguments of {@linkcode prelu}: x and y are [outer][channels][inner]; NHWC has inner = 1. */
export interface PreluArgs {
  readonly x: number;
  readonly y: number;
  readonly xType: "int8" | "int16";
  readonly yType: "int8" | "int16";
  readonly outer: number;
  readonly channels: number;
  readonly inner: number;
  /** Factor for x >= xZero. */
  readonly mPos: number;
  readonly sPos: number;
  /** int16[channels], may be negative, and int8[channels]: factors for x < xZero. */
  readonly mNeg: number;
  readonly sNeg: number;
  readonly xZero: number;
  readonly yZero: number;
  readonly qmin: number;
  readonly qmax: number;
}

/** y = clamp(requant(x - xZero; the factor of its sign) + yZero, qmin, qmax). x and y must not overlap. */
export function prelu(arena: Arena, g: PreluArgs): void {
  atLeast(0, "prelu", { outer: g.outer, channels: g.channels, inner: g.inner });
  const n = g.outer * g.channels * g.inner;
  region(arena, "prelu", "x", g.x, n * bytesOf[g.xType]);
  region(arena, "prelu", "y", g.y, n * bytesOf[g.yType]);
  region(arena, "prelu", "mNeg", g.mNeg, g.channels * 2);
  region(arena, "prelu", "sNeg", g.sNeg, g.channels);
  aligned("prelu", "x", g.x, bytesOf[g.xType]);
  aligned("prelu", "y", g.y, bytesOf[g.yType]);
  factor("prelu", g.mPos, g.sPos);
  for (const s of arena.i8(g.sNeg, g.channels)) expect(s >= 0 && s <= 62, "prelu", "shift");
  zeroPoint("prelu", g.xType, g.xZero);
  limits("prelu", g.yType, g.yZero, g.qmin, g.qmax);
  const mark = arena.mark();
  const scratch = arena.alloc(g.channels * 4);
  // deno-fmt-ignore
  arena.core.prelu(
    codeOf[g.xType], codeOf[g.yType], g.x, g.y, g.outer, g.channels, g.inner,
    g.mPos, g.sPos, g.mNeg, g.sNeg, g.xZero, g.yZero, g.qmin, g.qmax, scratch,
  );
  arena.release(mark);
}
