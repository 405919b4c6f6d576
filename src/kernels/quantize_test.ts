import assert from "node:assert/strict";
import { Arena } from "./arena.ts";
import { Random } from "./cases.ts";
import { dequantize, fakeQuantize, quantize } from "./quantize.ts";
import { fakeQuantizeRef, quantizeRef } from "./quantize_ref.ts";

const arena = Arena.create();

/** Powers of two, scales of few bits (their halves are float32 numbers, their reciprocals are not), any others. */
function scaleOf(round: number, r: Random): number {
  return Math.fround(
    round < 4
      ? 2 ** -round
      : round % 2
      ? (2 * r.int(1, 63) + 1) * 2 ** r.int(-20, 3)
      : 10 ** (r.next() / 2 ** 32 * 60 - 30),
  );
}

/** Values around every rounding boundary of a scale: the float32 neighbours of each half, and what no int32 holds. */
function boundaries(scale: number, span: number, n: number, r: Random): Float32Array {
  const x = new Float32Array(n), bits = new Int32Array(x.buffer);
  for (let i = 0; i < n; i++) {
    x[i] = scale * (r.int(-span, span) + 0.5);
    if (r.chance(0.5)) bits[i]! += r.int(-2, 2);
    if (r.chance(0.02)) x[i] = r.pick([NaN, -NaN, Infinity, -Infinity, 0, -0, 3e38, -3e38, 1e-45]);
    if (r.chance(0.05)) x[i] = scale * r.int(-4 * span, 4 * span);
    if (r.chance(0.02)) x[i] = scale * (r.next() - 2 ** 31);
  }
  return x;
}

// Longer than four pages, so that the walk over whole pages and what follows it are both reached.
const n = 3 * 4096 + 333;

for (const yType of ["int8", "uint8", "int16", "int32"] as const) {
  Deno.test(`quantize to ${yType} is exact around every rounding boundary`, () => {
    const r = new Random(7);
    const span = yType === "int32" ? 2 ** 20 : yType === "int16" ? 33000 : 260;
    for (let round = 0; round < 40; round++) {
      const scale = scaleOf(round, r);
      const x = boundaries(scale, span, n, r);
      const [low, high] = ({
        int8: [-128, 127],
        uint8: [0, 255],
        int16: [-32768, 32767],
        int32: [-(2 ** 31), 2 ** 31 - 1],
      } as const)[yType];
      const rounding = round % 3 === 2 ? "even" as const : "away" as const;
      const g = { scale, zero: round % 2 ? 0 : r.int(low, high), qmin: low, qmax: high, rounding };
      const want = {
        int8: new Int8Array(n),
        uint8: new Uint8Array(n),
        int16: new Int16Array(n),
        int32: new Int32Array(n),
      }[yType];
      quantizeRef(x, want, g);
      const mark = arena.mark();
      const at = arena.put(x), y = arena.alloc(want.byteLength);
      quantize(arena, { ...g, x: at, y, n, yType });
      const got = arena.u8(y, want.byteLength).slice();
      assert.deepEqual(got, new Uint8Array(want.buffer), `scale ${scale}, ${rounding}`);
      arena.release(mark);
    }
  });
}

for (const [low, high] of [[-128, 127], [-32768, 32767], [-(2 ** 20), 2 ** 20]] as const) {
  Deno.test(`fakeQuantize to ${low}..${high} is exact around every rounding boundary`, () => {
    const r = new Random(11);
    for (let round = 0; round < 30; round++) {
      const scale = scaleOf(round, r);
      const x = boundaries(scale, high, n, r), want = new Float32Array(n);
      const rounding = round % 3 === 2 ? "even" as const : "away" as const;
      const g = { scale, zero: round % 2 ? 0 : r.int(low, high), qmin: low, qmax: high, rounding };
      fakeQuantizeRef(x, want, g);
      const mark = arena.mark();
      const at = arena.put(x);
      fakeQuantize(arena, { ...g, x: at, y: at, n });
      assert.deepEqual(arena.u8(at, n * 4).slice(), new Uint8Array(want.buffer), `scale ${scale}`);
      arena.release(mark);
    }
  });
}

Deno.test("dequantize is the product of one rounding", () => {
  const x = Int8Array.from({ length: n }, (_, i) => i * 37), scale = Math.fround(0.0123);
  const mark = arena.mark();
  const at = arena.put(x), y = arena.alloc(4 * n);
  dequantize(arena, { x: at, y, n, xType: "int8", scale, zero: 3 });
  const want = Float32Array.from(x, (v) => (v - 3) * scale);
  assert.deepEqual(arena.f32(y, n).slice(), want);
  arena.release(mark);
});
