import assert from "node:assert/strict";
import { Random } from "./cases.ts";
import { compare } from "./compare.ts";
import { absmax, minmax } from "./statistics.ts";

// The kernels walk whole pages in several streams and the rest in order: no element may be missed or counted twice.
const sizes = [4095, 4096, 4097, 3 * 4096 + 333, 5 * 4096 + 2048 + 7];

for (const n of sizes) {
  Deno.test(`the range of ${n} values sees every place`, () => {
    const r = new Random(n), x = new Float32Array(n);
    for (let i = 0; i < n; i++) x[i] = r.next() / 2 ** 31 - 1;
    for (let round = 0; round < 60; round++) {
      const at = r.int(0, n - 1), other = r.int(0, n - 1), was = x[at]!, second = x[other]!;
      x[other] = NaN;
      x[at] = round % 2 ? 3 : -3;
      assert.equal(absmax(x), 3, `place ${at}`);
      const range = minmax(x);
      assert.equal(round % 2 ? range.max : range.min, round % 2 ? 3 : -3, `place ${at}`);
      x[other] = second;
      x[at] = was;
    }
  });

  Deno.test(`distances of ${n} pairs count every place once`, () => {
    const r = new Random(n), a = new Float32Array(n).fill(1);
    for (let round = 0; round < 40; round++) {
      const b = a.slice(), at = r.int(0, n - 1);
      b[at] = 3;
      const d = compare(a, b);
      assert.equal(d.chebyshev, 2, `place ${at}`);
      assert.equal(d.l1 * n, 2);
      assert.ok(Math.abs(d.mse * n - 4) < 1e-9);
      assert.ok(Math.abs(d.mre * n - 2) < 1e-9);
    }
    // A zero in the reference is an error of 1, or of 0 where both are zero.
    a[5] = a[n - 1] = 0;
    const b = a.slice();
    b[5] = 1;
    assert.ok(Math.abs(compare(a, b).mre * n - 1) < 1e-9);
  });
}
