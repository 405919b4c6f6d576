/**
 * Requantize alone (docs/arithmetic.md sections 3 and 5).
 *
 * @module
 */

import type { Arena } from "./arena.ts";
import {
  aligned,
  atLeast,
  bytesOf,
  codeOf,
  factor,
  type IntType,
  limits,
  region,
  zeroPoint,
} from "./check.ts";
import type { WideInt } from "./elementwise.ts";

/** Arguments of {@linkcode requant}. */
export interface RequantArgs {
  readonly x: number;
  readonly y: number;
  readonly n: number;
  readonly xType: IntType;
  readonly yType: WideInt;
  readonly m: number;
  readonly s: number;
  readonly xZero: number;
  readonly yZero: number;
  readonly qmin: number;
  readonly qmax: number;
}

/** y = clamp(requant(x - xZero; m, s) + yZero, qmin, qmax). In place is allowed when types match. */
export function requant(arena: Arena, g: RequantArgs): void {
  atLeast(0, "requant", { n: g.n });
  region(arena, "requant", "x", g.x, g.n * bytesOf[g.xType]);
  region(arena, "requant", "y", g.y, g.n * bytesOf[g.yType]);
  aligned("requant", "x", g.x, bytesOf[g.xType]);
  aligned("requant", "y", g.y, bytesOf[g.yType]);
  factor("requant", g.m, g.s);
  zeroPoint("requant", g.xType, g.xZero);
  limits("requant", g.yType, g.yZero, g.qmin, g.qmax);
  // deno-fmt-ignore
  arena.core.requant(
    codeOf[g.xType], codeOf[g.yType], g.x, g.y, g.n, g.m, g.s, g.xZero, g.yZero, g.qmin, g.qmax,
  );
}
