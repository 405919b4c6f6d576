import assert from "node:assert/strict";
import { Arena } from "./arena.ts";
import { clamp, requantOf } from "./arithmetic_ref.ts";
import { firstDifference, Random } from "./cases.ts";
import { conv, type ConvShape, packConv, planConv, runConv } from "./conv.ts";

/** A layer of h x w pixels without padding beside `more`. */
function layer(h: number, w: number, inC: number, outC: number, more: Partial<ConvShape> = {}) {
  return {
    ...{
      batch: 1,
      inH: h,
      inW: w,
      inC,
      outC,
      outH: h,
      outW: w,
      kernelH: 1,
      kernelW: 1,
      strideH: 1,
    },
    ...{ strideW: 1, padTop: 0, padLeft: 0, padBottom: 0, padRight: 0, dilationH: 1, dilationW: 1 },
    ...{ group: 1, ...more },
  } satisfies ConvShape;
}

Deno.test("factors of every kind round as the definition says, for every accumulator", () => {
  const arena = Arena.create();
  // x0 * 127 + x1 + bias takes every value around the bias.
  const pixels = 256 * 16, x = new Int8Array(pixels * 2);
  for (let i = 0; i < pixels; i++) x.set([(i >> 4) - 128, (i & 15) * 8 - 60 + (i >> 4) % 8], 2 * i);
  // A panel that the float32 path takes, from its limit on; one with powers of two and others that it must not take.
  // deno-fmt-ignore
  const factors = [
    513 << 5, 515 << 5, 32767, 20001, 0, 16417, 30011, 25801,
    513 << 5, 511 << 5, 509 << 6, 16384, 32767, 20001, 0, 257 << 6,
  ];
  const depthwise = new Int8Array(32).map((_, k) => [127, -127, 3, 1][k & 3]!);
  for (const shift of [16, 17, 18, 19, 21, 23, 30, 31]) {
    for (const [base, yZero] of [[0, 0], [0, -128], [2 ** 24, -128], [-(2 ** 24), 127]] as const) {
      const multiplier = new Int16Array(16).map((_, c) => factors[c]!);
      const shifts = new Int8Array(16).fill(shift);
      // Beside 0 they start near the boundary between two results, beyond what float32 holds.
      const bias = new Int32Array(16).map((_, c) => {
        const m = Math.max(1, multiplier[c]!), around = base * 1.1 * m / 2 ** shift;
        return base === 0
          ? (c % 3 - 1) * 2000
          : Math.round((Math.floor(around) + 0.5) * 2 ** shift / m);
      });
      for (const group of [1, 16]) {
        const inC = group === 1 ? 2 : 16;
        const n = group === 1 ? pixels : pixels / 8;
        const shape = group === 1
          ? layer(pixels, 1, 2, 16)
          : layer(n / 64, 64, 16, 16, { group: 16, kernelW: 2, padRight: 1 });
        const w = group === 1 ? new Int8Array(32).map((_, k) => k & 1 ? 1 : 127) : depthwise;
        const y = arena.alloc(n * 16);
        // deno-fmt-ignore
        conv(arena, {
          x: arena.put(x), y, packed: packConv(arena, w, shape), bias: arena.put(bias),
          multiplier: arena.put(multiplier), shift: arena.put(shifts), shape, xType: "int8", yType: "int8",
          xZero: 0, yZero, qmin: -128, qmax: 127,
        });
        const got = arena.i8(y, n * 16);
        for (let i = 0; i < n; i++) {
          for (let c = 0; c < 16; c++) {
            const at = (p: number, k: number) => x[p * inC + k]!;
            const acc = bias[c]! +
              (group === 1
                ? 127 * at(i, 0) + at(i, 1)
                : w[2 * c]! * at(i, c) + (i % 64 < 63 ? w[2 * c + 1]! * at(i + 1, c) : 0));
            const want = clamp(requantOf(acc, multiplier[c]!, shift) + yZero, -128, 127);
            if (got[i * 16 + c] !== want) {
              assert.fail(`${acc} * ${multiplier[c]} >> ${shift}: ${got[i * 16 + c]}, not ${want}`);
            }
          }
        }
      }
    }
  }
});

Deno.test("a planned convolution follows its buffers, also when x breaks its promise", () => {
  const arena = Arena.create();
  const r = new Random(3);
  const shape = layer(9, 7, 12, 20, {
    kernelH: 3,
    kernelW: 3,
    padTop: 1,
    padLeft: 1,
    padBottom: 1,
    padRight: 1,
  });
  const x = arena.alloc(9 * 7 * 12), y = arena.alloc(9 * 7 * 20);
  const packed = packConv(arena, r.int8(20 * 12 * 9, -127), shape);
  const bias = arena.put(new Int32Array(20).fill(100));
  const multiplier = arena.put(new Int16Array(20).fill(20001));
  const shift = arena.put(new Int8Array(20).fill(22));
  // deno-fmt-ignore
  const args = {
    x, y, packed, bias, multiplier, shift, shape, xType: "int8", yType: "int8", xZero: 0, yZero: 0,
    qmin: -128, qmax: 127, nonNegative: true,
  } as const;
  const plan = planConv(arena, args);
  const used = arena.used;
  for (const [low, seed] of [[0, 1], [0, 2], [-128, 3], [0, 4]] as const) {
    const values = Int8Array.from(
      { length: 9 * 7 * 12 },
      (_, i) => low + (Math.imul(i + seed, 2654435761) >>> 9) % (128 - low),
    );
    arena.i8(x, values.length).set(values);
    runConv(arena, plan);
    const got = arena.i8(y, 9 * 7 * 20).slice();
    conv(arena, { ...args, nonNegative: false });
    assert.equal(firstDifference(got, arena.i8(y, 9 * 7 * 20)), -1);
    assert.ok(new Set(got).size > 50, `${new Set(got).size} values`);
  }
  assert.equal(arena.used, used);
});
