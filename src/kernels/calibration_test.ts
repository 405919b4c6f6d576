import assert from "node:assert/strict";
import { BpuError } from "../errors.ts";
import { Random } from "./cases.ts";
import { compare, type Distances } from "./compare.ts";
import { Histogram } from "./histogram.ts";
import { absmax, absmaxPerChannel, channelStatistics, minmax } from "./statistics.ts";
import {
  klThreshold,
  mseThreshold,
  octavThreshold,
  percentile,
  quantizationError,
} from "./threshold.ts";
import { klCurveRef } from "./threshold_ref.ts";

function normal(r: Random): number {
  return Math.sqrt(-2 * Math.log((r.next() + 1) / 2 ** 32)) *
    Math.cos(2 * Math.PI * r.next() / 2 ** 32);
}

/** Differently shaped samples: normal, half-normal with a spike at zero, heavy tails, two humps, uniform. */
function samples(seed: number, n: number): Float32Array {
  const r = new Random(seed), x = new Float32Array(n), kind = seed % 5;
  for (let i = 0; i < n; i++) {
    const g = normal(r);
    x[i] = kind === 0
      ? g
      : kind === 1
      ? Math.max(0, g)
      : kind === 2
      ? g * Math.exp(normal(r))
      : kind === 3
      ? g * 0.1 + (r.chance(0.3) ? 3 : 0)
      : r.next() / 2 ** 31 - 1;
  }
  return x;
}

Deno.test("absmax and minmax over every tail length, with NaN ignored", () => {
  for (const n of [0, 1, 3, 4, 7, 8, 15, 16, 17, 33, 40000]) {
    const x = samples(n, n).map((v) => v * 7);
    const want = x.reduce((a, v) => Math.max(a, Math.abs(v)), 0);
    assert.equal(absmax(x), want);
    assert.deepEqual(
      minmax(x),
      n === 0 ? { min: 0, max: 0 } : {
        min: x.reduce((a, v) => Math.min(a, v)) + 0,
        max: x.reduce((a, v) => Math.max(a, v)) + 0,
      },
    );
    if (n < 3) continue;
    const y = x.slice();
    y[n >> 1] = NaN;
    y[0] = NaN;
    const rest = y.filter((v) => !Number.isNaN(v));
    assert.equal(absmax(y), absmax(rest));
    assert.deepEqual(minmax(y), minmax(rest));
  }
  assert.deepEqual(minmax(Float32Array.of(NaN)), { min: 0, max: 0 });
});

Deno.test("per-channel ranges and quartiles", () => {
  const x = Float32Array.of(1, 2, -3, 4, 5, -6, 7, 8); // [2][2][2]
  assert.deepEqual([...absmaxPerChannel(x, 2, 2, 2)], [6, 8]);
  const [a, b] = channelStatistics(x, 2, 2, 2); // 1 2 5 -6 and -3 4 7 8
  assert.deepEqual([a!.min, a!.q1, a!.median, a!.q3, a!.max, a!.mean], [
    -6,
    -0.75,
    1.5,
    2.75,
    5,
    0.5,
  ]);
  assert.deepEqual([b!.min, b!.median, b!.max, b!.mean], [-3, 5.5, 8, 4]);
  assert.ok(Math.abs(a!.std - Math.sqrt((0.25 + 2.25 + 20.25 + 42.25) / 4)) < 1e-12);
});

Deno.test("a histogram does not depend on the order or the cut of its samples", () => {
  const x = samples(2, 70001);
  x[123] = 1e-30;
  x[60000] = 900;
  const whole = new Histogram(2048);
  whole.add(x);
  const parts = new Histogram(2048);
  for (const [a, b] of [[50000, 70001], [0, 7], [7, 1000], [1000, 50000]] as const) {
    parts.add(x.subarray(a, b).toReversed());
  }
  const left = new Histogram(2048), right = new Histogram(2048);
  left.add(x.subarray(0, 100));
  right.add(x.subarray(100));
  left.merge(right);
  for (const h of [parts, left]) {
    assert.deepEqual(h.counts, whole.counts);
    assert.deepEqual([h.width, h.total, h.min, h.max, h.used], [
      whole.width,
      70001,
      whole.min,
      whole.max,
      whole.used,
    ]);
  }
  const naive = new Float64Array(2048);
  for (const v of x) naive[Math.floor(Math.abs(v) / whole.width)]! += 1;
  assert.deepEqual(whole.counts, naive);
  assert.ok(whole.used > 1024 && whole.used <= 2048, `${whole.used} bins in use`);
});

Deno.test("a histogram leaves NaN and infinities out and survives tiny and huge values", () => {
  const h = new Histogram(16);
  h.add(Float32Array.of(0, NaN, Infinity, -Infinity, 0));
  assert.deepEqual([h.total, h.zeros, h.invalid, h.absmax, h.width], [2, 2, 3, 0, 0]);
  h.add(Float32Array.of(1e-44, -1e-44));
  assert.equal(h.total, 4);
  h.add(Float32Array.of(3e38));
  assert.deepEqual([h.counts[0], h.total, h.used], [
    4,
    5,
    Math.floor(Math.fround(3e38) / h.width) + 1,
  ]);
  assert.throws(() => new Histogram(1), BpuError);
});

Deno.test("percentile of a known histogram", () => {
  const h = new Histogram(2048);
  h.add(Float32Array.from({ length: 1000 }, (_, i) => i + 0.5));
  assert.equal(percentile(h, 1), 999.5);
  for (const p of [0.1, 0.5, 0.9, 0.999]) {
    assert.ok(Math.abs(percentile(h, p) - 1000 * p) <= 1, `${p}: ${percentile(h, p)}`);
  }
  assert.throws(() => percentile(h, 1.1), BpuError);
  assert.equal(percentile(new Histogram(16), 0.5), 0);
});

Deno.test("the KL search equals the definition on 20 histograms", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const h = new Histogram(512);
    h.add(samples(seed, 3000 + 500 * seed));
    const want = klCurveRef(h, 128), got = klThreshold(h, 128);
    let best = Infinity, bins = 0;
    want.forEach((v, k) => {
      const g = got.curve[k]!;
      assert.ok(v === g || Math.abs(v - g) <= 1e-12, `seed ${seed}, ${k + 128} bins: ${v} ${g}`);
      if (v <= best + 1e-13) {
        best = Math.min(best, v);
        bins = k + 128;
      }
    });
    assert.equal(got.bins, bins, `seed ${seed}`);
    assert.equal(got.threshold, Math.min(h.absmax, (bins + 0.5) * h.width));
  }
});

Deno.test("thresholds of degenerate histograms", () => {
  const zero = new Histogram(2048), single = new Histogram(2048);
  zero.add(new Float32Array(100));
  single.add(new Float32Array(100).fill(-3));
  for (const f of [klThreshold, mseThreshold, octavThreshold]) {
    const at = (h: Histogram) => {
      const t = f(h);
      return typeof t === "number" ? t : t.threshold;
    };
    assert.equal(at(zero), 0);
    assert.ok(at(single) > 2.9 && at(single) <= 3.0001, `${f.name}: ${at(single)}`);
  }
});

Deno.test("the MSE threshold is near the best of a fine scan", () => {
  for (let seed = 1; seed <= 10; seed++) {
    const h = new Histogram(2048);
    h.add(samples(seed, 20000));
    const t = mseThreshold(h, 127), e = quantizationError(h, t, 127);
    let best = Infinity;
    for (let k = 1; k <= 1000; k++) {
      best = Math.min(best, quantizationError(h, h.absmax * k / 1000, 127));
    }
    assert.ok(e <= best * 1.02, `seed ${seed}: ${e} against ${best}`);
  }
});

Deno.test("OCTAV clips a normal distribution at 4 bits near its known optimum", () => {
  const h = new Histogram(8192);
  h.add(samples(5, 200000));
  const t = octavThreshold(h, 4, true);
  // The optimal symmetric uniform quantizer of a normal distribution with 16 levels clips at 2.5 to 2.6 sigma.
  assert.ok(t > 2.3 && t < 2.8, `${t}`);
});

Deno.test("compare equals float64 sums", () => {
  const keys: (keyof Distances)[] = ["cosine", "mse", "mre", "sqnr", "chebyshev", "l1", "l2"];
  for (
    const [n, noise] of [[5, 0.1], [64, 0.1], [1003, 1e-3], [70001, 0.3], [70001, 1e-6], [
      5000,
      1e-5,
    ]] as const
  ) {
    const a = samples(n, n), e = samples(7, n);
    const b = a.map((v, i) => v + noise * e[i]!);
    let aa = 0, bb = 0, ab = 0, dd = 0, d1 = 0, rel = 0, top = 0;
    for (let i = 0; i < n; i++) {
      const d = Math.abs(b[i]! - a[i]!);
      aa += a[i]! ** 2;
      bb += b[i]! ** 2;
      ab += a[i]! * b[i]!;
      dd += d * d;
      d1 += d;
      rel += d === 0 ? 0 : a[i] === 0 ? 1 : d / Math.abs(a[i]!);
      top = Math.max(top, d);
    }
    const want = {
      cosine: ab / Math.sqrt(aa * bb),
      mse: dd / n,
      mre: rel / n,
      sqnr: 10 * Math.log10(aa / dd),
      chebyshev: top,
      l1: d1 / n,
      l2: Math.sqrt(dd) / n,
    };
    const got = compare(a, b);
    for (const k of keys) {
      const limit = k === "cosine" ? (noise < 0.01 ? 1e-12 : 1e-8) : 2e-6 * Math.abs(want[k]);
      assert.ok(Math.abs(got[k] - want[k]) <= limit, `${k} of ${n}: ${got[k]} against ${want[k]}`);
    }
  }
});

Deno.test("compare at the edges", () => {
  const x = samples(5, 5000);
  const same = compare(x, x);
  assert.ok(Math.abs(same.cosine - 1) < 1e-14);
  assert.deepEqual({ ...same, cosine: 1 }, {
    ...{ cosine: 1, mse: 0, mre: 0, sqnr: Infinity, chebyshev: 0, l1: 0, l2: 0 },
  });
  const none = compare(new Float32Array(100), new Float32Array(100));
  assert.deepEqual([none.cosine, none.sqnr, none.mre], [1, Infinity, 0]);
  assert.equal(compare(new Float32Array(5000), x).cosine, 0);
  assert.equal(compare(new Float32Array(100).fill(0), new Float32Array(100).fill(2)).mre, 1);
  assert.ok(Number.isNaN(compare(x, x.map((v, i) => i === 70 ? NaN : v)).mse));
  const huge = compare(x.map((v) => v * 1e30), x.map((v) => v * 1.5e30));
  assert.ok(Math.abs(huge.cosine - 1) < 1e-6 && Math.abs(huge.mre - 0.5) < 1e-5);
  const tiny = compare(x.map((v) => v * 1e-30), x.map((v) => v * 1.5e-30));
  assert.ok(Math.abs(tiny.cosine - 1) < 1e-6 && Math.abs(tiny.mre - 0.5) < 1e-5);
  assert.equal(compare(new Float32Array(0), new Float32Array(0)).cosine, 1);
  assert.throws(() => compare(x, new Float32Array(3)), BpuError);
});
