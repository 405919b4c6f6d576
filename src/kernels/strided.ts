/**
 * Dimension lists with element strides: normalising and bound checks.
 *
 * @module
 */

import { type Arena } from "./arena.ts";
import { expect, region } from "./check.ts";

/** A loop nest: dims and, per operand, strides in elements. Outermost first. */
export interface Nest {
  readonly dims: number[];
  readonly strides: number[][];
}

/** Drops dimensions of size 1 and merges neighbours that every operand walks evenly. */
export function collapse(dims: readonly number[], strides: readonly (readonly number[])[]): Nest {
  const d: number[] = [];
  const s: number[][] = strides.map(() => []);
  for (let i = 0; i < dims.length; i++) {
    if (dims[i] === 1) continue;
    const last = d.length - 1;
    const merges = last >= 0 &&
      strides.every((st, k) => s[k]![last] === st[i]! * dims[i]!);
    if (merges) {
      d[last]! *= dims[i]!;
      strides.forEach((st, k) => s[k]![last] = st[i]!);
    } else {
      d.push(dims[i]!);
      strides.forEach((st, k) => s[k]!.push(st[i]!));
    }
  }
  if (d.length === 0) {
    d.push(1);
    for (const st of s) st.push(0);
  }
  return { dims: d, strides: s };
}

/** Every element that the nest touches must lie in the arena. `bytes` is the element size. */
export function stridedRegion(
  arena: Arena,
  kernel: string,
  name: string,
  at: number,
  dims: readonly number[],
  strides: readonly number[],
  bytes: number,
): void {
  expect(strides.length === dims.length, kernel, `${name} has ${strides.length} strides`);
  let low = 0, high = 0;
  for (let i = 0; i < dims.length; i++) {
    const reach = (dims[i]! - 1) * strides[i]!;
    expect(Number.isSafeInteger(reach), kernel, `${name} has a stride of ${strides[i]}`);
    if (reach < 0) low += reach;
    else high += reach;
  }
  region(arena, kernel, name, at + low * bytes, (high - low + 1) * bytes);
  const span = Math.max(...strides.map(Math.abs), 0) * bytes;
  expect(span < 2 ** 31, kernel, `${name} has a stride over 2 GiB`);
}
