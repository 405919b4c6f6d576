/**
 * Scalar reference of layer_norm.ts.
 *
 * @module
 */

import { clamp, shiftRound } from "./arithmetic_ref.ts";
import { inverseRoots, type NormSpec } from "./layer_norm.ts";

/** 1 / sqrt(v) as r * 2^-(15 + j), for an integer 1 <= v < 2^63 as binary64. */
function inverseRoot(v: number): { r: number; j: number } {
  let j = Math.floor(Math.log2(v) / 2);
  // log2 next to a power of four may round to either side: settle on the exact exponent.
  while (4 ** j > v) j--;
  while (4 ** (j + 1) <= v) j++;
  const u = Math.floor(v * 4 ** -j * 8192), i = (u >> 7) - 64, f = u & 127;
  return { r: (inverseRoots[i]! * (128 - f) + inverseRoots[i + 1]! * f + 64) >> 7, j };
}

/** max(n sum(x^2) - sum(x)^2 + epsilon, 1), rounded once to binary64. */
function variance(n: number, sum: number, squares: number, epsilon: number): number {
  const v = n * squares + epsilon < 2 ** 53
    ? n * squares - sum * sum + epsilon
    : Number(BigInt(n) * BigInt(squares) - BigInt(sum) ** 2n + BigInt(epsilon));
  return Math.max(v, 1);
}

/** Rows of g.n elements: m and b are the factors and biases of each of them. */
export function layerNormRef(
  x: Int8Array | Int16Array,
  y: Int8Array | Int16Array | Int32Array,
  m: Int16Array,
  b: Int32Array,
  g: NormSpec,
): void {
  for (let at = 0; at < g.rows * g.n; at += g.n) {
    let sum = 0, squares = 0;
    for (let i = 0; i < g.n; i++) {
      const v = x[at + i]! - g.xZero;
      sum += v;
      squares += v * v;
    }
    if (!g.mean) sum = 0;
    const { r, j } = inverseRoot(variance(g.n, sum, squares, g.epsilon));
    for (let i = 0; i < g.n; i++) {
      const h = shiftRound(((x[at + i]! - g.xZero) * g.n - sum) * r, j);
      y[at + i] = clamp(shiftRound(h * m[i]! + b[i]!, g.s) + g.yZero, g.qmin, g.qmax);
    }
  }
}
