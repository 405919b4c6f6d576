import { deepEqual, equal, ok, throws } from "node:assert/strict";
import {
  lut16,
  lut8,
  multiplierOf,
  multipliersOf,
  quantizeValue,
  requantValue,
  roundAway,
  scaleOf,
} from "./arithmetic.ts";

Deno.test("rounding is half away from zero", () => {
  deepEqual([0.5, -0.5, 1.5, 2.5, -2.5, 0.4999].map(roundAway), [1, -1, 2, 3, -3, 0]);
});

Deno.test("quantize saturates, and NaN gives the zero point", () => {
  equal(quantizeValue(1e9, 0.1, 0, -128, 127), 127);
  equal(quantizeValue(-Infinity, 0.1, 0, -128, 127), -128);
  equal(quantizeValue(NaN, 0.1, 3, -128, 127), 3);
});

Deno.test("a multiplier has 15 bits and is as close as they allow, over the whole range", () => {
  for (let e = -40; e < 14; e += 0.37) {
    const M = 2 ** e;
    const { m, s } = multiplierOf(M);
    ok(m >= 2 ** 14 && m < 2 ** 15, `${M}`);
    ok(Math.abs(m * 2 ** -s - M) <= M * 2 ** -15, `${M}`);
  }
  deepEqual(multiplierOf(0.5), { m: 16384, s: 15 });
  // Rounds up to 2^15: the shift takes it.
  deepEqual(multiplierOf(1 - 2 ** -20), { m: 16384, s: 14 });
  equal(multiplierOf(2 ** -60).s, 62);
  equal(multiplierOf(0).m, 0);
  throws(() => multiplierOf(2 ** 15), /too large/);
});

Deno.test("factors of a sum share the shift of the largest", () => {
  const [a, b] = multipliersOf([0.01, -1]);
  deepEqual([a!.s, b!.s, b!.m], [14, 14, -16384]);
  equal(a!.m, Math.round(0.01 * 2 ** 14));
});

Deno.test("requantization in double equals the integer shift at the edges", () => {
  const accs = [0, 1, -1, 2 ** 31 - 1, -(2 ** 31), 12345, -12345, 16384, -16384];
  for (const acc of accs) {
    for (const m of [1, 16384, 20001, 32767]) {
      for (const s of [1, 2, 14, 15, 30, 45, 46, 47, 48, 62]) {
        const exact = (BigInt(acc) * BigInt(m) + (1n << BigInt(s - 1))) >> BigInt(s);
        equal(requantValue(acc, { m, s }), Number(exact), `${acc} ${m} ${s}`);
      }
    }
  }
});

Deno.test("tables hold the quantized function; int16 interpolation stays within 2 steps", () => {
  const scale = scaleOf(4, "int8"), out = scaleOf(1, "int8");
  const table = lut8(Math.tanh, { scale, zero: 0 }, { scale: out, zero: 0 });
  equal(table[256 - 5], quantizeValue(Math.tanh(-5 * scale), out, 0, -128, 127));
  const x16 = scaleOf(8, "int16"), y16 = scaleOf(1, "int16");
  const t = lut16((x) => 1 / (1 + Math.exp(-x)), { scale: x16 }, { scale: y16 });
  let worst = 0;
  for (let q = -32768; q < 32768; q++) {
    const u = q + 32768, i = u >> 7, r = u & 127;
    const y = (t[i]! * (128 - r) + t[i + 1]! * r + 64) >> 7;
    worst = Math.max(worst, Math.abs(y - 1 / (1 + Math.exp(-q * x16)) / y16));
  }
  ok(worst <= 2, `${worst} steps`);
});
