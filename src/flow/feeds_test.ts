import assert from "node:assert/strict";
import { f32, numbersOf } from "../ir/tensor.ts";
import type { DType } from "../ir/tensor.ts";
import { asPort } from "./feeds.ts";

const as = (dtype: DType, values: readonly number[]) =>
  asPort(f32([values.length], [...values]), { name: "x", dtype, shape: [values.length] });

Deno.test("samples take the type of the input: integers towards zero, flags, half precision", () => {
  assert.deepEqual(as("int64", [16000, -2.7]).data, BigInt64Array.of(16000n, -2n));
  assert.deepEqual(as("int32", [1.9, -1.9]).data, Int32Array.of(1, -1));
  assert.deepEqual(as("bool", [0, 0.5]).data, Uint8Array.of(0, 1));
  assert.deepEqual(as("float16", [1, -2]).data, Uint16Array.of(0x3c00, 0xc000));
  assert.deepEqual([...numbersOf(as("float32", [0.1]))], [Math.fround(0.1)]);
});
