/** Data movement against the plainest possible loops, for every element type. */

import assert from "node:assert/strict";
import { allocate, type DType, elementCount, stridesOf, type TensorData } from "../ir/tensor.ts";
import { axisTables, concat, copyOf, offsetsOf, permute, put, rampTable, takeAxes } from "./nd.ts";

const dtypes: readonly DType[] = [
  "float32",
  "float64",
  "float16",
  "int8",
  "uint8",
  "int16",
  "int32",
  "int64",
  "uint64",
  "bool",
  "string",
];

/** 0, 1, 2, ... in an element type (modulo its width). */
function counting(dtype: DType, count: number): TensorData {
  const d = allocate(dtype, count);
  for (let i = 0; i < count; i++) {
    if (Array.isArray(d)) d[i] = `s${i}`;
    else if (d instanceof BigInt64Array || d instanceof BigUint64Array) d[i] = BigInt(i);
    else d[i] = i;
  }
  return d;
}

/** What takeAxes must give, by the definition. */
function plainly(
  data: TensorData,
  dtype: DType,
  tables: readonly Int32Array[],
  fill: TensorData,
): TensorData {
  const shape = tables.map((t) => t.length);
  const out = allocate(dtype, elementCount(shape)) as unknown[];
  for (let i = 0; i < out.length; i++) {
    let rest = i;
    let at = 0;
    for (let a = shape.length - 1; a >= 0; a--) {
      const o = tables[a]![rest % shape[a]!]!;
      rest = Math.floor(rest / shape[a]!);
      at = at < 0 || o < 0 ? -1 : at + o;
    }
    out[i] = at < 0 ? fill[0] : data[at];
  }
  return out as unknown as TensorData;
}

Deno.test("takeAxes reads through the tables, for all types, ranks and fills", () => {
  const shapes = [[], [5], [3, 70], [2, 3, 4], [70, 2, 65], [2, 1, 3, 2, 2], [300, 100], [4, 0, 3]];
  for (const dtype of dtypes) {
    for (const shape of shapes) {
      const data = counting(dtype, elementCount(shape));
      const strides = stridesOf(shape);
      const fill = counting(dtype, 8).slice(7);
      const identity = axisTables(shape);
      const reversed = shape.map((d, a) => rampTable(d, -strides[a]!, (d - 1) * strides[a]!));
      const transposed = [...identity].reverse();
      const padded = identity.map((t) => Int32Array.of(-1, ...t, -1));
      const repeated = identity.map((t, a) => a === 0 ? Int32Array.of(...t, ...t) : t);
      for (const tables of [identity, reversed, transposed, padded, repeated]) {
        const have = takeAxes(data, dtype, tables, fill);
        const want = plainly(data, dtype, tables, fill);
        assert.deepEqual(have, want, `${dtype} [${shape}] -> [${tables.map((t) => t.length)}]`);
      }
    }
  }
});

Deno.test("takeAxes keeps the bits of NaN", () => {
  const bits = Uint32Array.of(0x7fc01234, 0xffc00001, 0x7f800001, 0x80000000);
  const out = takeAxes(new Float32Array(bits.buffer), "float32", [Int32Array.of(2, 3, 0, 1)]);
  assert.deepEqual(
    [...new Uint32Array((out as Float32Array).buffer)],
    [bits[2], bits[3], bits[0], bits[1]],
  );
});

Deno.test("permute of a few million elements agrees with the definition", () => {
  const shape = [64, 128, 17, 19];
  const data = Int32Array.from({ length: elementCount(shape) }, (_, i) => i);
  const out = permute({ dtype: "int32", shape, data }, [0, 2, 3, 1]);
  assert.deepEqual(out.shape, [64, 17, 19, 128]);
  const s = stridesOf(shape);
  for (const [n, h, w, c] of [[0, 0, 0, 0], [63, 16, 18, 127], [5, 3, 11, 77], [62, 1, 0, 1]]) {
    const at = ((n! * 17 + h!) * 19 + w!) * 128 + c!;
    assert.equal(out.data[at], n! * s[0]! + c! * s[1]! + h! * s[2]! + w! * s[3]!);
  }
});

Deno.test("put is the inverse of taking a permutation", () => {
  for (const dtype of dtypes) {
    const data = counting(dtype, 100);
    const at = Int32Array.from({ length: 100 }, (_, i) => (i * 37 + 5) % 100);
    const taken = takeAxes(data, dtype, [at]);
    const back = allocate(dtype, 100);
    put(back, at, taken);
    assert.deepEqual(back, data, dtype);
  }
});

Deno.test("copyOf does not share memory", () => {
  const a = Float32Array.of(1, 2);
  (copyOf(a) as Float32Array)[0] = 5;
  assert.equal(a[0], 1);
});

Deno.test("concat joins along any axis", () => {
  for (const dtype of dtypes) {
    const t = (shape: number[]) => ({ dtype, shape, data: counting(dtype, elementCount(shape)) });
    const parts = [t([2, 1, 3]), t([2, 0, 3]), t([2, 2, 3])];
    const out = concat(parts, 1);
    assert.deepEqual(out.shape, [2, 3, 3]);
    const a = parts[0]!.data;
    const b = parts[2]!.data;
    const want = [
      ...[0, 1, 2].map((i) => a[i]),
      ...[0, 1, 2, 3, 4, 5].map((i) => b[i]),
      ...[3, 4, 5].map((i) => a[i]),
      ...[6, 7, 8, 9, 10, 11].map((i) => b[i]),
    ];
    assert.deepEqual(Array.from(out.data as ArrayLike<unknown>), want, dtype);
  }
});

Deno.test("offsetsOf adds tables and keeps what is outside", () => {
  assert.deepEqual([...offsetsOf([])], [0]);
  assert.deepEqual([...offsetsOf([Int32Array.of(0, -1), Int32Array.of(1, 2)])], [1, 2, -1, -1]);
});
