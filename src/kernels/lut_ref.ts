/**
 * Scalar references of lut.ts.
 *
 * @module
 */

export function lut8Ref(x: Int8Array, table: Int8Array): Int8Array {
  return x.map((v) => table[v & 255]!);
}

export function lut8to16Ref(x: Int8Array, table: Int16Array): Int16Array {
  return Int16Array.from(x, (v) => table[v & 255]!);
}

export function lut16Ref(x: Int16Array, table: Int16Array): Int16Array {
  return x.map((v) => {
    const u = v + 32768, i = u >> 7, r = u & 127;
    return (table[i]! * (128 - r) + table[i + 1]! * r + 64) >> 7;
  });
}
