/**
 * Look-up tables (docs/arithmetic.md section 6).
 *
 * @module
 */

import type { Arena } from "./arena.ts";
import { aligned, atLeast, region } from "./check.ts";

/** Arguments: pointers to n elements in and out, and to the table. */
export interface LutArgs {
  readonly x: number;
  readonly y: number;
  readonly table: number;
  readonly n: number;
}

/** int8 to int8: y = table[x & 255]; 256 int8 entries, that of q = 0 first and of q = -1 last. */
export function lut8(arena: Arena, g: LutArgs): void {
  check(arena, "lut8", g, 1, 1, 256);
  arena.core.lut8(g.x, g.y, g.table, g.n);
}

/** int8 to int16: 256 int16 entries in the same order. */
export function lut8to16(arena: Arena, g: LutArgs): void {
  check(arena, "lut8to16", g, 1, 2, 512);
  aligned("lut8to16", "table", g.table, 2);
  arena.core.lut8to16(g.x, g.y, g.table, g.n);
}

/** int16 to int16: 513 int16 entries, linear between them. */
export function lut16(arena: Arena, g: LutArgs): void {
  check(arena, "lut16", g, 2, 2, 1026);
  aligned("lut16", "table", g.table, 2);
  arena.core.lut16(g.x, g.y, g.table, g.n);
}

function check(arena: Arena, k: string, g: LutArgs, xb: number, yb: number, table: number): void {
  atLeast(0, k, { n: g.n });
  region(arena, k, "x", g.x, g.n * xb);
  region(arena, k, "y", g.y, g.n * yb);
  region(arena, k, "table", g.table, table);
  aligned(k, "x", g.x, xb);
  aligned(k, "y", g.y, yb);
}
