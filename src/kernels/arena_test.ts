import assert from "node:assert/strict";
import { BpuError } from "../errors.ts";
import { Arena } from "./arena.ts";
import { conv, packConv } from "./conv.ts";
import { copyStrided } from "./copy.ts";
import { lut8 } from "./lut.ts";
import { requant } from "./requant.ts";
import { softmax } from "./softmax.ts";

const code = (c: string) => (e: unknown) => e instanceof BpuError && e.code === c;

Deno.test("alloc aligns, grows, and gives back", () => {
  const a = Arena.create({ initialBytes: 2 ** 18, maximumBytes: 2 ** 24 });
  const m = a.mark();
  const p = a.put(Int8Array.of(1, 2, 3));
  const view = a.i8(p, 3);
  const q = a.alloc(2 ** 22, 64);
  assert.equal(q % 64, 0);
  assert.ok(q >= p + 3);
  assert.deepEqual([...view], [1, 2, 3], "views outlive growth");
  assert.deepEqual([...a.i8(p, 3)], [1, 2, 3]);
  a.release(m);
  assert.equal(a.used, 0);
  assert.ok(a.peak >= 2 ** 22);
});

Deno.test("the limit is an error of its own, and the arena stays usable", () => {
  const a = Arena.create({ maximumBytes: 2 ** 21 });
  assert.throws(() => a.alloc(2 ** 21), code("limit"));
  assert.throws(() => a.alloc(-1), code("internal"));
  assert.throws(() => a.alloc(NaN), code("internal"));
  assert.equal(a.i8(a.alloc(1000), 1000).length, 1000);
  assert.throws(() => Arena.create({ maximumBytes: 2 ** 33 }), code("limit"));
});

Deno.test("wrappers refuse what lies outside the memory", () => {
  const a = Arena.create();
  const size = a.memory.buffer.byteLength;
  const x = a.alloc(64), y = a.alloc(64);
  const table = a.alloc(256);
  assert.throws(() => lut8(a, { x: size - 32, y, table, n: 64 }), code("internal"));
  assert.throws(() => lut8(a, { x: 0, y, table, n: 64 }), code("internal"), "static data");
  assert.throws(() => lut8(a, { x, y, table, n: -1 }), code("internal"));
  assert.throws(() => lut8(a, { x, y, table, n: 2 ** 40 }), code("internal"));
  const rq = {
    x,
    y,
    n: 8,
    xType: "int8",
    yType: "int8",
    m: 20000,
    s: 20,
    xZero: 0,
    yZero: 0,
  } as const;
  requant(a, { ...rq, qmin: -128, qmax: 127 });
  assert.throws(() => requant(a, { ...rq, qmin: -129, qmax: 127 }), code("internal"));
  assert.throws(() => requant(a, { ...rq, s: 63, qmin: 0, qmax: 1 }), code("internal"));
  assert.throws(() => requant(a, { ...rq, xZero: 128, qmin: 0, qmax: 1 }), code("internal"));
  assert.throws(() => requant(a, { ...rq, qmin: 5, qmax: 4 }), code("internal"));
  const copy = { src: x, dst: y, elementBytes: 1, dims: [8, 8], dstStrides: [8, 1] } as const;
  assert.throws(() => copyStrided(a, { ...copy, srcStrides: [size, 1] }), code("internal"));
  assert.throws(() => copyStrided(a, { ...copy, srcStrides: [-size, 1] }), code("internal"));
});

Deno.test("a softmax table that is none is refused", () => {
  const a = Arena.create();
  const x = a.alloc(16), y = a.alloc(16), exps = a.put(new Int16Array(256));
  const g = {
    x,
    y,
    exps,
    yType: "int8",
    outer: 1,
    reduce: 16,
    inner: 1,
    h: 8,
    qmin: -128,
    qmax: 127,
  };
  assert.throws(() => softmax(a, g as Parameters<typeof softmax>[1]), code("internal"));
});

// deno-fmt-ignore
const one = {
  batch: 1, inH: 128, inW: 1, inC: 2, outC: 256, outH: 128, outW: 1, kernelH: 1, kernelW: 1, strideH: 1, strideW: 1,
  padTop: 0, padLeft: 0, padBottom: 0, padRight: 0, dilationH: 1, dilationW: 1, group: 1,
};

/** Pixel i is (i, x1), channel c has the weights (c - 128, w1): every operand pair of the dot. */
function products(arena: Arena, x1: number, w1: number, nonNegative: boolean): Int32Array {
  const mark = arena.mark();
  const weight = Int8Array.from({ length: 512 }, (_, i) => i % 2 === 0 ? (i >> 1) - 128 : w1);
  const packed = packConv(arena, weight, one);
  const x = arena.put(Int8Array.from({ length: 256 }, (_, i) => i % 2 === 0 ? i >> 1 : x1));
  const y = arena.alloc(128 * 256 * 4);
  // deno-fmt-ignore
  conv(arena, {
    x, y, packed, bias: 0, multiplier: 0, shift: 0, shape: one, xType: "int8", yType: "int32", xZero: 0, yZero: 0,
    qmin: -(2 ** 31), qmax: 2 ** 31 - 1, nonNegative,
  });
  const out = arena.i32(y, 128 * 256).slice();
  arena.release(mark);
  return out;
}

Deno.test("the faster dot is exact for every weight and every activation of 0..127", () => {
  const arena = Arena.create();
  for (const [x1, w1] of [[0, 0], [127, -128], [127, 127], [1, -1]] as const) {
    const got = products(arena, x1, w1, true);
    for (let i = 0; i < got.length; i++) {
      const want = (i >> 8) * ((i & 255) - 128) + x1 * w1;
      if (got[i] !== want) assert.fail(`${i >> 8} x ${(i & 255) - 128} + ${x1} x ${w1}: ${got[i]}`);
    }
    assert.deepEqual(got, products(arena, x1, w1, false));
  }
});

Deno.test("a wrong promise of non-negative activations falls back to the general dot", () => {
  const arena = Arena.create();
  const got = products(arena, -128, -128, true);
  assert.equal(got[127 * 256 + 0], 127 * -128 + 128 * 128);
  assert.equal(got[5 * 256 + 255], 5 * 127 + 128 * 128);
});
