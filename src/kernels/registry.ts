/**
 * Every integer kernel with its random cases: one row drives the tests, `deno task conformance` and the
 * vectors of docs/conformance.
 *
 * @module
 */

import { type Arena } from "./arena.ts";
import { firstDifference, type KernelRow, Random } from "./cases.ts";
import { convRows } from "./conv_cases.ts";
import { layerNormRows } from "./layer_norm_cases.ts";
import { simpleRows } from "./simple_cases.ts";
import { windowRows } from "./window_cases.ts";

export const kernelRows: readonly KernelRow[] = [
  ...convRows,
  ...simpleRows,
  ...windowRows,
  ...layerNormRows,
];

/** The row of a kernel. */
export function kernelRow(name: string): KernelRow {
  const row = kernelRows.find((k) => k.name === name);
  if (row === undefined) throw new Error(`no kernel ${name}`);
  return row;
}

/** Runs cases `from` .. `from + count - 1` of a row; returns a description of the first difference, or null. */
export function runCases(arena: Arena, row: KernelRow, from: number, count: number): string | null {
  for (let seed = from; seed < from + count; seed++) {
    const c = row.make(new Random(seed));
    const text = () => `${row.name} case ${seed}: ${JSON.stringify(c.params)}`;
    const want = c.reference();
    let got;
    try {
      got = c.kernel(arena);
    } catch (error) {
      return `${text()}: ${error instanceof Error ? error.message : error}`;
    }
    const i = firstDifference(got, want);
    if (i >= 0) return `${text()}: element ${i} is ${got[i]}, reference ${want[i]}`;
  }
  return null;
}
