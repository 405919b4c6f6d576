/** Element types against the engine's own conversions and stock onnxruntime-web. */

import assert from "node:assert/strict";
import { attr } from "../ir/graph.ts";
import { bfloat16ToNumber, type DType, float16ToNumber, tensor } from "../ir/tensor.ts";
import { cast } from "./cast.ts";
import { castTensor, fromDoubles, numberToBfloat16, numberToFloat16 } from "./convert.ts";
import { sameAsOrt } from "./op_case.ts";

Deno.test("float16 bits are those of Float16Array", () => {
  const half = new Float16Array(1);
  const bits = new Uint16Array(half.buffer);
  const check = (v: number) => {
    half[0] = v;
    assert.equal(numberToFloat16(v), bits[0], `${v}`);
  };
  for (let b = 0; b < 0x7c00; b++) {
    const v = float16ToNumber(b);
    const next = float16ToNumber(b + 1);
    for (const w of [v, -v]) check(w);
    // Halfway to the next value, and just beside it.
    if (Number.isFinite(next)) {
      const mid = (v + next) / 2;
      for (const w of [mid, mid * (1 + 2 ** -50), mid * (1 - 2 ** -50), -mid]) check(w);
    }
  }
  for (const v of [65519.999, 65520, 65536, Infinity, -Infinity, NaN, 2 ** -25, 2 ** -26]) check(v);
});

Deno.test("bfloat16 rounds to nearest even", () => {
  for (const b of [0x0000, 0x0001, 0x007f, 0x0080, 0x3f80, 0x3f81, 0x4049, 0x7f7f, 0xc000]) {
    assert.equal(numberToBfloat16(bfloat16ToNumber(b)), b);
  }
  assert.equal(numberToBfloat16(1 + 2 ** -8), 0x3f80);
  assert.equal(numberToBfloat16(1 + 3 * 2 ** -8), 0x3f82);
  assert.equal(numberToBfloat16(1 + 2 ** -8 + 2 ** -40), 0x3f81);
  assert.equal(numberToBfloat16(3.4e38), 0x7f80);
  assert.equal(numberToBfloat16(-0), 0x8000);
  assert.equal(numberToBfloat16(NaN) & 0x7fff, 0x7fc0);
});

const codes: readonly (readonly [number, DType])[] = [
  [1, "float32"],
  [2, "uint8"],
  [3, "int8"],
  [4, "uint16"],
  [5, "int16"],
  [6, "int32"],
  [7, "int64"],
  [9, "bool"],
  [10, "float16"],
  [11, "float64"],
  [12, "uint32"],
  [13, "uint64"],
];

Deno.test("Cast between all number types is onnxruntime's", async () => {
  const values: Readonly<Record<string, readonly number[]>> = {
    float32: [0, 1.5, 2.5, -1.5, 100.999, 0.1, -0.1, 127],
    float64: [0, 1.5, 100.999, 0.1, 16777217, 2.00000001],
    float16: [0, 1.5, 2.5, 100.9, 0.1],
    int8: [0, 1, -1, 127, -128],
    int16: [0, 1, -1, 300, -300, 32767],
    int32: [0, 1, -1, 70000, -70000, 16777217],
    int64: [0, 1, -1, 70000, 2 ** 40 + 5, -(2 ** 40)],
    uint8: [0, 1, 200, 255],
    uint16: [0, 1, 300, 65535],
    uint32: [0, 1, 70000, 2 ** 32 - 1],
    uint64: [0, 1, 70000, 2 ** 40 + 5],
    bool: [0, 1],
  };
  for (const [, from] of codes) {
    const all = values[from]!;
    for (const [to, name] of codes) {
      // What a negative float is as an unsigned integer is not defined by anyone.
      const unsigned = name.startsWith("u");
      const list = from.startsWith("float") && unsigned ? all.filter((v) => v >= 0) : all;
      const x = tensor(from, [list.length], fromDoubles(from, list));
      await sameAsOrt({ def: cast, inputs: [x], attrs: { to: attr.int(to) } });
    }
  }
});

Deno.test("64-bit integers are rounded to float32 once", () => {
  // Rounding to binary64 first would give the tie, and then the even neighbour below.
  const v = (1n << 60n) + (1n << 36n) + 1n;
  const x = tensor("int64", [2], BigInt64Array.of(v, -v));
  const up = 2 ** 60 + 2 ** 37;
  assert.deepEqual([...castTensor(x, "float32").data as Float32Array], [up, -up]);
});

Deno.test("floats become strings as onnxruntime prints them, and strings numbers", async () => {
  const list = [
    0,
    -0,
    1,
    1.5,
    0.1,
    0.97676110267,
    1e-5,
    123456789,
    1e10,
    -2.5e-12,
    NaN,
    Infinity,
    -Infinity,
  ];
  const x = tensor("float32", [list.length], Float32Array.from(list));
  await sameAsOrt({ def: cast, inputs: [x], attrs: { to: attr.int(8) } });
  const d = tensor("float64", [5], Float64Array.of(0.1, 1 / 3, 1e300, 5, -1e-7));
  await sameAsOrt({ def: cast, inputs: [d], attrs: { to: attr.int(8) } });
  const s = tensor("string", [6], ["1", "-2.5", "1e3", "NaN", "INF", "-INF"]);
  await sameAsOrt({ def: cast, inputs: [s], attrs: { to: attr.int(1) } });
  const n = tensor("string", [3], ["1", "-9007199254740993", "42"]);
  await sameAsOrt({ def: cast, inputs: [n], attrs: { to: attr.int(7) } });
  const i = tensor("int64", [2], BigInt64Array.of(5n, -(2n ** 62n)));
  await sameAsOrt({ def: cast, inputs: [i], attrs: { to: attr.int(8) } });
});

Deno.test("a string that is no number is refused", () => {
  assert.throws(() => castTensor(tensor("string", [1], ["abc"]), "float32"), {
    code: "model",
    message: "'abc' is not a number",
  });
});
