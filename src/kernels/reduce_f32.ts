/**
 * float32 reductions and softmax over a view [outer][reduce][inner].
 *
 * @module
 */

import type { Arena } from "./arena.ts";
import { aligned, atLeast, region } from "./check.ts";

/** A reduction along the middle axis. */
export interface ReduceView {
  readonly x: number;
  readonly y: number;
  readonly outer: number;
  readonly reduce: number;
  readonly inner: number;
}

/** Arguments of {@linkcode reduceF32}. */
export interface ReduceF32Args extends ReduceView {
  readonly op: "sum" | "mean" | "max" | "min";
}

function check(arena: Arena, k: string, g: ReduceView, out: number): void {
  const { outer, reduce, inner } = g;
  atLeast(0, k, { outer, inner });
  atLeast(1, k, { reduce });
  region(arena, k, "x", g.x, outer * reduce * inner * 4);
  region(arena, k, "y", g.y, out * 4);
  aligned(k, "x", g.x, 4);
  aligned(k, "y", g.y, 4);
}

/** Sum, mean or extreme of the middle axis; y is [outer][inner]. */
export function reduceF32(arena: Arena, g: ReduceF32Args): void {
  check(arena, "reduceF32", g, g.outer * g.inner);
  const op = g.op === "max" ? 1 : g.op === "min" ? 2 : 0;
  const scale = g.op === "mean" ? g.reduce : 1;
  arena.core.reduceF32(op, g.x, g.y, g.outer, g.reduce, g.inner, scale);
}

/** Softmax along the middle axis; y has the size of x and may be x. */
export function softmaxF32(arena: Arena, g: ReduceView): void {
  check(arena, "softmaxF32", g, g.outer * g.reduce * g.inner);
  arena.core.softmaxF32(g.x, g.y, g.outer, g.reduce, g.inner);
}

/** Arguments of {@linkcode normalizeF32}. */
export interface NormalizeF32Args {
  readonly x: number;
  /** May be x. */
  readonly y: number;
  readonly rows: number;
  readonly n: number;
  /** float32[n] each. */
  readonly scale: number;
  readonly shift: number;
  readonly epsilon: number;
  /** Whether the mean is taken off; default true. Without, a row is divided by its root mean square. */
  readonly mean?: boolean;
}

/**
 * Layer normalization of rows of n neighbours: (x - mean) / sqrt(variance + epsilon) * scale + shift,
 * or the same without the mean.
 */
export function normalizeF32(arena: Arena, g: NormalizeF32Args): void {
  const k = "normalizeF32";
  atLeast(0, k, { rows: g.rows });
  atLeast(1, k, { n: g.n });
  for (const [name, at, count] of [["x", g.x, g.rows * g.n], ["y", g.y, g.rows * g.n]] as const) {
    region(arena, k, name, at, count * 4);
    aligned(k, name, at, 4);
  }
  region(arena, k, "scale", g.scale, g.n * 4);
  region(arena, k, "shift", g.shift, g.n * 4);
  // deno-fmt-ignore
  arena.core.normalizeF32(
    g.x, g.y, g.rows, g.n, g.scale, g.shift, g.epsilon, Number(g.mean ?? true),
  );
}
