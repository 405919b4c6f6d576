/**
 * Add, Mul, Max and Min of two feature maps (docs/arithmetic.md section 5), with broadcasting by strides.
 *
 * @module
 */

import { type Arena } from "./arena.ts";
import {
  aligned,
  atLeast,
  bytesOf,
  codeOf,
  expect,
  factor,
  type IntType,
  limits,
  params,
  typeRange,
  zeroPoint,
} from "./check.ts";
import { collapse, stridedRegion } from "./strided.ts";

/** Types of elementwise operands. */
export type WideInt = Exclude<IntType, "uint8">;

/** Operands and their walk: up to 6 dims, strides in elements, 0 repeats (broadcasts). */
export interface BinaryArgs {
  readonly a: number;
  readonly b: number;
  readonly y: number;
  readonly aType: WideInt;
  readonly bType: WideInt;
  readonly yType: WideInt;
  readonly dims: readonly number[];
  readonly aStrides: readonly number[];
  readonly bStrides: readonly number[];
  readonly yStrides: readonly number[];
}

/** {@linkcode add2}: two multipliers with one shift. Sub has a negative m2. */
export interface AddArgs extends BinaryArgs {
  readonly m1: number;
  readonly m2: number;
  readonly s: number;
  readonly aZero: number;
  readonly bZero: number;
  readonly yZero: number;
  readonly qmin: number;
  readonly qmax: number;
}

/** {@linkcode mul2}: one multiplier. */
export interface MulArgs extends Omit<AddArgs, "m1" | "m2"> {
  readonly m: number;
}

/** y = clamp(((a - aZero) m1 + (b - bZero) m2 + 2^(s-1)) >> s) + yZero). */
export function add2(arena: Arena, g: AddArgs): void {
  binary(arena, "add2", 0, g, g.m1, g.m2, g);
}

/** y = clamp(((a - aZero)(b - bZero) m + 2^(s-1)) >> s) + yZero); int32 operands are refused. */
export function mul2(arena: Arena, g: MulArgs): void {
  expect(g.aType !== "int32" && g.bType !== "int32", "mul2", "int32 operands");
  binary(arena, "mul2", 1, g, g.m, 0, g);
}

/** y = max(a, b), operands on one scale. */
export function max2(arena: Arena, g: BinaryArgs): void {
  extreme(arena, "max2", 2, g);
}

/** y = min(a, b), operands on one scale. */
export function min2(arena: Arena, g: BinaryArgs): void {
  extreme(arena, "min2", 3, g);
}

function extreme(arena: Arena, kernel: string, op: number, g: BinaryArgs): void {
  const [qmin, qmax] = typeRange(g.yType);
  binary(arena, kernel, op, g, 0, 0, { s: 0, aZero: 0, bZero: 0, yZero: 0, qmin, qmax });
}

type Rest = Pick<AddArgs, "s" | "aZero" | "bZero" | "yZero" | "qmin" | "qmax">;

function binary(
  arena: Arena,
  kernel: string,
  op: number,
  g: BinaryArgs,
  m1: number,
  m2: number,
  r: Rest,
): void {
  atLeast(0, kernel, Object.fromEntries(g.dims.map((d, i) => [`dim ${i}`, d])));
  if (g.dims.includes(0)) return;
  for (const [name, at, t, strides] of operands(g)) {
    stridedRegion(arena, kernel, name, at, g.dims, strides, bytesOf[t]);
    aligned(kernel, name, at, bytesOf[t]);
  }
  factor(kernel, m1, r.s);
  factor(kernel, m2, r.s);
  zeroPoint(kernel, g.aType, r.aZero);
  zeroPoint(kernel, g.bType, r.bZero);
  limits(kernel, g.yType, r.yZero, r.qmin, r.qmax);
  // The innermost loop writes neighbours, whatever the logical order of the dimensions (NHWC in memory).
  const order = g.dims.map((_, i) => i).sort((p, q) =>
    Math.abs(g.yStrides[q]!) - Math.abs(g.yStrides[p]!) || p - q
  );
  const pick = (v: readonly number[]) => order.map((i) => v[i]!);
  const { dims, strides } = collapse(pick(g.dims), [g.aStrides, g.bStrides, g.yStrides].map(pick));
  expect(dims.length <= 6, kernel, `${dims.length} dims`);
  const six = (v: readonly number[]) => [...v, ...new Array<number>(6 - v.length).fill(0)];
  const d = params(arena, [dims.length, ...six(dims), ...strides.flatMap(six)]);
  // deno-fmt-ignore
  arena.core.binary(
    op, codeOf[g.aType], codeOf[g.bType], codeOf[g.yType], g.a, g.b, g.y, d,
    m1, m2, r.s, r.aZero, r.bZero, r.yZero, r.qmin, r.qmax,
  );
}

function operands(g: BinaryArgs): [string, number, WideInt, readonly number[]][] {
  return [
    ["a", g.a, g.aType, g.aStrides],
    ["b", g.b, g.bType, g.bStrides],
    ["y", g.y, g.yType, g.yStrides],
  ];
}
