/**
 * The vectors of docs/conformance: small cases of every integer kernel with the reference's output.
 *
 * @module
 */

import { type CaseArray, Random } from "./cases.ts";
import { kernelRows } from "./registry.ts";

/** Vectors per unit of a row's weight. */
const perWeight = 270;
/** Most elements of all arrays of a vector together, tables aside. */
const small = 220;

/** One line of JSON per vector. Floats are written as the hexadecimal bits of their float32 value. */
export function vectorLines(): string[] {
  const lines: string[] = [];
  for (const row of kernelRows) {
    for (let seed = 1, n = 0; n < perWeight * row.weight; seed++) {
      const c = row.make(new Random(seed));
      const arrays = Object.entries(c.inputs).filter(([k]) => k !== "table" && k !== "exps");
      const size = arrays.reduce((s, [, a]) => s + a.length, 0);
      if (size > small) continue;
      const y = c.reference();
      if (y.length === 0 || size + y.length > small) continue;
      const inputs = Object.fromEntries(Object.entries(c.inputs).map(([k, a]) => [k, plain(a)]));
      lines.push(JSON.stringify({
        kernel: row.name,
        section: row.section,
        seed,
        params: c.params,
        inputs,
        output: plain(y),
      }));
      n++;
    }
  }
  return lines;
}

function plain(a: CaseArray): number[] | string[] {
  if (!(a instanceof Float32Array)) return Array.from(a);
  const bits = new Uint32Array(a.buffer, a.byteOffset, a.length);
  return Array.from(bits, (v) => v.toString(16).padStart(8, "0"));
}
