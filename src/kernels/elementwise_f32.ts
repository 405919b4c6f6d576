/**
 * float32 functions of one and two inputs.
 *
 * @module
 */

import type { Arena } from "./arena.ts";
import { aligned, atLeast, expect, region } from "./check.ts";

const functions = {
  clamp: 0,
  leakyRelu: 1,
  sigmoid: 2,
  silu: 3,
  hardSigmoid: 4,
  hardSwish: 5,
  tanh: 6,
  exp: 7,
  elu: 8,
  neg: 9,
  abs: 10,
  sqrt: 11,
  reciprocal: 12,
  floor: 13,
  ceil: 14,
  erf: 15,
  gelu: 16,
  mish: 17,
} as const;

/** Functions of {@linkcode unaryF32}. */
export type UnaryF32 = keyof typeof functions;

/** Arguments of {@linkcode unaryF32}. */
export interface UnaryF32Args {
  readonly op: UnaryF32;
  readonly x: number;
  /** May be x. */
  readonly y: number;
  readonly n: number;
  /**
   * clamp: lower and upper limit; leakyRelu, elu: alpha; silu: x * sigmoid(x); hardSigmoid:
   * clamp(alpha * x + beta, 0, 1); hardSwish: x times that; gelu: beta * x * (1 + erf(alpha * x)).
   */
  readonly alpha?: number;
  readonly beta?: number;
}

/** y = f(x). exp is within 2 units of the last place; NaN stays NaN. */
export function unaryF32(arena: Arena, g: UnaryF32Args): void {
  atLeast(0, "unaryF32", { n: g.n });
  region(arena, "unaryF32", "x", g.x, g.n * 4);
  region(arena, "unaryF32", "y", g.y, g.n * 4);
  aligned("unaryF32", "x", g.x, 4);
  aligned("unaryF32", "y", g.y, 4);
  arena.core.unaryF32(functions[g.op], g.x, g.y, g.n, g.alpha ?? 1, g.beta ?? 0);
}

const operators = { add: 0, sub: 1, mul: 2, div: 3, max: 4, min: 5, slope: 6 } as const;

/** Operators of {@linkcode binaryF32}; `slope` is PRelu: a, times b where a is negative. */
export type BinaryF32 = keyof typeof operators;

/** Arguments of {@linkcode binaryF32}: `rows` rows of n elements; y is dense. */
export interface BinaryF32Args {
  readonly op: BinaryF32;
  readonly a: number;
  readonly b: number;
  /** May be an operand whose row stride is n. */
  readonly y: number;
  readonly n: number;
  /** Default 1. */
  readonly rows?: number;
  /** The first element of each row stands for all of them. */
  readonly aScalar?: boolean;
  readonly bScalar?: boolean;
  /** Elements from row to row, 0 to repeat one. Default: n, or 1 with a scalar. */
  readonly aRow?: number;
  readonly bRow?: number;
}

/** y = a op b. */
export function binaryF32(arena: Arena, g: BinaryF32Args): void {
  const k = "binaryF32", { n, rows = 1, aScalar = false, bScalar = false } = g;
  const aRow = g.aRow ?? (aScalar ? 1 : n), bRow = g.bRow ?? (bScalar ? 1 : n);
  atLeast(0, k, { n, rows, aRow, bRow });
  if (n === 0 || rows === 0) return;
  region(arena, k, "a", g.a, ((rows - 1) * aRow + (aScalar ? 1 : n)) * 4);
  region(arena, k, "b", g.b, ((rows - 1) * bRow + (bScalar ? 1 : n)) * 4);
  region(arena, k, "y", g.y, rows * n * 4);
  for (const at of [g.a, g.b, g.y]) aligned(k, "a buffer", at, 4);
  expect(operators[g.op] !== undefined, k, `operator ${g.op}`);
  // deno-fmt-ignore
  arena.core.binaryF32(operators[g.op], g.a, aRow, aScalar ? 0 : 1, g.b, bRow, bScalar ? 0 : 1, g.y, rows, n);
}
