import assert from "node:assert/strict";
import { BpuError } from "../errors.ts";
import { compare, largerIsBetter, metric, metricNames } from "./metrics.ts";
import { values } from "./test_support.ts";

const near = (a: number, b: number, eps = 1e-12) =>
  assert.ok(Math.abs(a - b) <= eps * Math.max(1, Math.abs(b)), `${a} for ${b}`);

Deno.test("metrics: by the definitions", () => {
  const a = values("normal", 5000, 1), b = values("normal", 5000, 2);
  const c = a.map((x, i) => x + 0.01 * b[i]!);
  const sum = (f: (i: number) => number) =>
    Array.from(a, (_, i) => f(i)).reduce((x, y) => x + y, 0);
  const d = (i: number) => c[i]! - a[i]!;
  const m = compare(a, c);
  near(
    m.cosine,
    sum((i) => a[i]! * c[i]!) / Math.sqrt(sum((i) => a[i]! ** 2) * sum((i) => c[i]! ** 2)),
  );
  near(m.mse, sum((i) => d(i) ** 2) / 5000);
  near(m.mre, sum((i) => Math.abs(d(i) / a[i]!)) / 5000);
  near(m.sqnr, 10 * Math.log10(sum((i) => a[i]! ** 2) / sum((i) => d(i) ** 2)));
  near(m.l1, sum((i) => Math.abs(d(i))) / 5000);
  near(m.l2, Math.sqrt(sum((i) => d(i) ** 2)) / 5000);
  assert.equal(m.chebyshev, Math.max(...a.map((_, i) => Math.abs(d(i)))));
  assert.equal(m.nonFinite, 0);
});

Deno.test("metrics: equal, zero and empty tensors", () => {
  const a = values("relu", 100, 1), zero = new Float32Array(100);
  const same = compare(a, a);
  near(same.cosine, 1);
  assert.equal(same.sqnr, Infinity);
  assert.equal(same.chebyshev, 0);
  assert.equal(compare(zero, zero).cosine, 1);
  assert.equal(compare(zero, a).cosine, 0);
  assert.equal(compare(a, zero).cosine, 0);
  assert.equal(compare(new Float32Array(0), new Float32Array(0)).cosine, 1);
  assert.throws(() => compare(a, zero.subarray(1)), BpuError);
});

Deno.test("metrics: large and small values keep their figures", () => {
  const a = Float32Array.of(3e38, -3e38), b = Float32Array.of(3e38, 3e38);
  assert.equal(compare(a, b).cosine, 0);
  const tiny = Float32Array.of(1e-38, 1e-38);
  near(compare(tiny, tiny).cosine, 1);
});

Deno.test("metrics: NaN and infinities are left out and counted", () => {
  const a = Float32Array.of(1, NaN, 2, Infinity, 3, 4),
    b = Float32Array.of(1, NaN, 2.5, Infinity, NaN, 4);
  const m = compare(a, b);
  assert.equal(m.nonFinite, 3);
  assert.deepEqual(
    { ...m, nonFinite: 0 },
    compare(Float32Array.of(1, 2, 4), Float32Array.of(1, 2.5, 4)),
  );
  assert.equal(compare(Float32Array.of(NaN), Float32Array.of(1)).nonFinite, 1);
});

Deno.test("metrics: every name has a figure and a direction", () => {
  const good = compare(Float32Array.of(1, 2, 3), Float32Array.of(1, 2, 3.01));
  const bad = compare(Float32Array.of(1, 2, 3), Float32Array.of(1, -2, 5));
  for (const name of metricNames) {
    assert.equal(metric(good, name) > metric(bad, name), largerIsBetter(name), name);
  }
});
