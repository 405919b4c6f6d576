import assert from "node:assert/strict";
import { BpuError } from "../errors.ts";
import { Random } from "./cases.ts";
import { compare, type Distances } from "./compare.ts";
import { Histogram } from "./histogram.ts";
import { partRangesRef, tallyBlock } from "./histogram_ref.ts";
import { absmax, absmaxPerChannel, channelStatistics, minmax, type Order } from "./statistics.ts";
import { klCurve } from "./threshold.ts";
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

/** The tensor's histogram and ranges by the definition. */
function byDefinition(
  x: Float32Array,
  order: Order,
  groups: number,
  stride: number,
  width: number,
) {
  const counts = new Float64Array(2 * 8192);
  const ranges = new Float32Array(2 * groups).map((_, i) => i % 2 ? -Infinity : Infinity);
  const seen = tallyBlock(x, 0, stride, { counts, bins: 8192, width });
  const nonFinite = partRangesRef(x, order, ranges);
  return {
    ...seen,
    nonFinite,
    positive: counts.slice(0, 8192),
    negative: counts.slice(8192),
    ranges,
  };
}

Deno.test("a histogram and its ranges are those of the definition, for all orders and strides", () => {
  const sizes = [[1, 5], [3, 1], [7, 3], [20, 8], [33, 40], [2, 32768], [3, 33000], [1, 100003]];
  for (const [a, b] of [...sizes, [20000, 5]] as [number, number][]) {
    for (const last of [false, true]) {
      // rows of b values, or pixels of a channels
      const order: Order = last ? { channels: Math.min(a, 800) } : { inner: b };
      const groups = last ? Math.min(a, 800) : a;
      for (
        const [stride, bad] of [[1, false], [1, true], [3, false], [7, false], [7, true]] as const
      ) {
        const x = samples(a + b, groups * b).map((v, i) => i % 11 === 3 ? (i % 2) * -0 : v);
        if (bad) [NaN, Infinity, -Infinity].forEach((v, i) => x[(i * 77 + 2) % x.length] = v);
        const h = new Histogram(), ranges = new Float32Array(2 * groups);
        h.add(x, stride, order, ranges);
        const want = byDefinition(x, order, groups, stride, h.width);
        const at = `${groups} x ${b} ${last ? "last" : ""} by ${stride}, ${
          bad ? "not " : ""
        }finite`;
        assert.deepEqual(h.side("positive"), want.positive, at);
        assert.deepEqual(h.side("negative"), want.negative, at);
        assert.deepEqual(ranges.map((v) => v + 0), want.ranges.map((v) => v + 0), at);
        assert.deepEqual([h.count, h.zeros, h.nonFinite], [want.count, want.zeros, want.nonFinite]);
      }
    }
  }
});

Deno.test("a histogram does not depend on the order or the cut of its samples", () => {
  const x = samples(2, 70001);
  x[123] = 1e-30;
  x[60000] = 900;
  const whole = new Histogram();
  whole.add(x);
  const parts = new Histogram();
  for (const [a, b] of [[50000, 70001], [0, 7], [7, 1000], [1000, 50000]] as const) {
    parts.add(x.subarray(a, b).toReversed());
  }
  const left = new Histogram(), right = new Histogram();
  left.add(x.subarray(0, 100));
  right.add(x.subarray(100));
  left.merge(right);
  const all = (
    h: Histogram,
  ) => [h.side("positive"), h.side("negative"), h.width, h.count, h.min, h.max];
  for (const h of [parts, left]) assert.deepEqual(all(h), all(whole));
  const used = Math.floor(900 / whole.width) + 1;
  assert.ok(used > 4096 && used <= 8192, `${used} bins in use`);
});

Deno.test("a histogram leaves NaN and infinities out and survives tiny and huge values", () => {
  const h = new Histogram(128);
  h.add(Float32Array.of(0, NaN, Infinity, -Infinity, -0));
  assert.deepEqual([h.count, h.zeros, h.nonFinite, h.max, h.width], [2, 2, 3, 0, 0]);
  h.add(Float32Array.of(1e-44, -1e-44));
  assert.equal(h.count, 4);
  h.add(Float32Array.of(3e38));
  assert.deepEqual([h.side("positive")[0], h.side("negative")[0], h.count], [1, 1, 5]);
  assert.equal(h.side("positive")[Math.floor(Math.fround(3e38) / h.width)], 1);
  assert.throws(() => new Histogram(1), BpuError);
  const ranges = new Histogram(0);
  ranges.add(Float32Array.of(1, -2, NaN));
  assert.deepEqual([ranges.min, ranges.max, ranges.count, ranges.nonFinite, ranges.width], [
    ...[-2, 1, 2, 1, 0],
  ]);
});

Deno.test("the KL curve equals the definition on 20 histograms", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const counts = new Float64Array(512);
    for (const v of samples(seed, 3000 + 500 * seed)) {
      const i = Math.floor(Math.abs(v) * 90);
      if (i < counts.length) counts[i]! += 1;
    }
    for (const [levels, empty] of [[128, 0], [128, 1e-30], [100, 0], [127, 0]] as const) {
      const want = klCurveRef(counts, levels, empty), got = klCurve(counts, levels, empty);
      assert.equal(got.length, want.length);
      want.forEach((v, k) => {
        const g = got[k]!;
        assert.ok(v === g || Math.abs(v - g) <= 1e-12, `seed ${seed}, ${k + levels}: ${v} ${g}`);
      });
    }
  }
  const single = new Float64Array(200);
  single[0] = 5;
  assert.deepEqual([...klCurve(single, 128)], new Array(73).fill(0));
  assert.throws(() => klCurve(single, 201), BpuError);
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
