import assert from "node:assert/strict";
import { f32, type Tensor } from "../../ir/tensor.ts";
import { quantizeValue, type Range } from "../../ops/arithmetic.ts";
import { planScale, rangePlan } from "../../quantize/plan.ts";
import { magnitudes, shareOfRange } from "../magnitudes.ts";
import { statsOf, type TensorStats } from "../stats.ts";
import { activation, type Kind, random, shuffled, values } from "../test_support.ts";
import { klThreshold } from "./kl.ts";
import { maxRange, maxThreshold } from "./max.ts";
import { mseRange, mseThreshold, mseThroughFunction, quantizationError } from "./mse.ts";
import { octavThreshold } from "./octav.ts";
import { percentileRange, percentileThreshold } from "./percentile.ts";

const kinds: Kind[] = ["normal", "laplace", "relu", "silu", "uniform", "spiky"];
const of = (data: ArrayLike<number>): TensorStats =>
  statsOf("t", [f32([data.length], data)], { quota: Infinity });
const silu = (x: number) => x / (1 + Math.exp(-x));

/** A method by name, all on the same footing. */
const methods: [string, (s: TensorStats) => number][] = [
  ["max", maxThreshold],
  ["percentile", (s) => percentileThreshold(s, 0.999)],
  ["kl", (s) => klThreshold(s).threshold],
  ["mse", (s) => mseThreshold(s).threshold],
  ["silu", (s) => mseThroughFunction(s, silu).threshold],
  ["octav", (s) => octavThreshold(s)],
];

Deno.test("methods: the order of the samples changes no bit of a threshold", () => {
  const samples: Tensor[] = kinds.map((k, i) => activation(k, 3000, i + 1, 10 ** (i - 2)));
  const want = methods.map(([, f]) => f(statsOf("t", samples)));
  for (let seed = 1; seed <= 5; seed++) {
    const s = statsOf("t", shuffled(samples, seed));
    assert.deepEqual(methods.map(([, f]) => f(s)), want);
  }
});

Deno.test("methods: every threshold lies in 0..max; it scales with the data by powers of two", () => {
  for (const kind of kinds) {
    const data = values(kind, 6000, 5);
    const s = of(data), t = of(data.map((x) => x * 1024));
    for (const [name, f] of methods) {
      assert.ok(f(s) > 0 && f(s) <= s.absmax, `${name} of ${kind}`);
      if (name !== "silu") assert.equal(f(t), f(s) * 1024, `${name} of ${kind}`);
    }
  }
});

Deno.test("methods: all-zero, single-valued and two-valued tensors", () => {
  const zero = of(new Float32Array(100));
  for (const [name, f] of methods) assert.equal(f(zero), 0, name);
  for (const v of [3, -3, 1e-20, 2 ** 20]) {
    const s = of(new Float32Array(100).fill(v));
    for (const [name, f] of methods) {
      if (name === "silu") continue; // a constant far below 0 may be dropped
      const t = f(s);
      assert.ok(t > 0.99 * s.absmax && t <= s.absmax, `${name} of ${v}: ${t}`);
    }
  }
});

Deno.test("max: exact; its range holds 0", () => {
  const s = of([0.1, -2.5, 1]);
  assert.equal(maxThreshold(s), 2.5);
  assert.deepEqual(maxRange(of([3, 4])), { min: 0, max: 4 });
  assert.deepEqual(maxRange(of([-3, -4])), { min: -4, max: 0 });
});

Deno.test("percentile: the sorted magnitudes, to a bin", () => {
  for (const kind of kinds) {
    const data = values(kind, 20_000, 11);
    const s = of(data);
    const sorted = data.map(Math.abs).sort();
    for (const q of [0.5, 0.9, 0.99, 0.999, 0.9995, 0.9999, 0.99995]) {
      const want = sorted[Math.ceil(q * data.length) - 1]!;
      const got = percentileThreshold(s, q);
      if (want === 0) assert.ok(got > 0);
      else assert.ok(Math.abs(got - want) <= s.width, `${kind} ${q}: ${got} for ${want}`);
    }
    assert.equal(percentileThreshold(s, 1), s.absmax);
  }
  assert.throws(() => percentileThreshold(of([1]), 0));
  assert.throws(() => percentileThreshold(of([1]), 1.5));
});

Deno.test("percentile: a tensor that is mostly 0 is not erased", () => {
  const data = new Float32Array(1000);
  data.set([1, 2, 3, 4]);
  const t = percentileThreshold(of(data), 0.99);
  assert.ok(t > 3 && t <= 4);
});

Deno.test("percentile: an asymmetric range cuts both ends alike", () => {
  const data = [...values("normal", 20_000, 3)].map((x) => x + 1);
  const s = of(data);
  const sorted = [...data].sort((a, b) => a - b);
  const r = percentileRange(s, 0.99);
  assert.ok(Math.abs(r.min - sorted[100]!) <= 2 * s.width);
  assert.ok(Math.abs(r.max - sorted[20_000 - 101]!) <= 2 * s.width);
  const relu = percentileRange(of(values("relu", 1000, 3)), 0.99);
  assert.equal(relu.min, 0);
  assert.deepEqual(percentileRange(s, 1), maxRange(s));
});

/** KL as it is defined: P and Q written out, natural logarithm. */
function klByDefinition(h: Float64Array, i: number, levels: number): number {
  const total = h.reduce((a, b) => a + b, 0);
  const p = Array.from(h.subarray(0, i));
  p[i - 1]! += total - p.reduce((a, b) => a + b, 0);
  const q = new Array<number>(i).fill(0);
  for (let g = 0; g < levels; g++) {
    const from = Math.floor(g * i / levels), to = Math.floor((g + 1) * i / levels);
    let sum = 0, filled = 0;
    for (let k = from; k < to; k++) {
      sum += h[k]!;
      if (h[k]! > 0) filled++;
    }
    for (let k = from; k < to; k++) if (h[k]! > 0) q[k] = sum / filled;
  }
  const sumP = p.reduce((a, b) => a + b, 0), sumQ = q.reduce((a, b) => a + b, 0);
  if (sumQ === 0) return Infinity;
  let kl = 0;
  for (let k = 0; k < i; k++) {
    if (p[k] === 0) continue;
    kl += p[k]! / sumP * Math.log(p[k]! / sumP / (q[k] === 0 ? 1e-30 : q[k]! / sumQ));
  }
  return kl;
}

Deno.test("kl: the curve is that of the definition, also where i is no multiple of the levels", () => {
  for (const [kind, n] of kinds.flatMap((k) => [[k, 900], [k, 20_000]] as const)) {
    const s = of(values(kind, n, 21));
    const { curve, threshold } = klThreshold(s, { bins: 1024 });
    const m = magnitudes(s, 1024), h = m.counts;
    let best = 0, least = Infinity, unlike = 0;
    for (let i = 128; i <= h.length; i++) {
      const want = klByDefinition(h, i, 128), got = curve[i - 128]!;
      if (want === Infinity) assert.equal(got, Infinity, `${kind} ${i}`);
      else assert.ok(Math.abs(got - want) < 1e-9, `${kind} ${i}: ${got} for ${want}`);
      if (want < least - 1e-12 || Math.abs(want - least) <= 1e-12) best = i;
      least = Math.min(least, want);
      if (i % 128 !== 0) unlike++;
    }
    assert.ok(unlike > 100);
    assert.equal(threshold, Math.min((best + 0.5) * m.width, s.absmax), kind);
  }
});

Deno.test("kl: the spike of a Relu at 0 changes nothing", () => {
  const data = values("relu", 10_000, 4).filter((x) => x > 0);
  const spiked = new Float32Array(data.length + 50_000);
  spiked.set(data);
  assert.equal(klThreshold(of(spiked)).threshold, klThreshold(of(data)).threshold);
});

Deno.test("kl: clips rare outliers, keeps a flat distribution, takes the larger of equals", () => {
  const outliers = values("normal", 50_000, 9);
  outliers[17] = 100;
  const t = klThreshold(of(outliers)).threshold;
  assert.ok(t < 10, `${t}`);
  const flat = of(Float32Array.from({ length: 8192 }, (_, i) => i + 0.5));
  assert.equal(klThreshold(flat).threshold, flat.absmax);
  // two near values and a far one: every clip that keeps the near ones apart is equally good
  const positive = new Float64Array(8192);
  positive[0] = 1e6;
  positive[1] = 2e6;
  positive[2047] = 1;
  const far = {
    ...flat,
    zeros: 0,
    count: 3000001,
    width: 1,
    max: 2047.5,
    absmax: 2047.5,
    positive,
  };
  const { threshold, curve } = klThreshold(far);
  assert.equal(curve[0], curve[127]);
  assert.ok(curve[0]! < curve[128]!);
  assert.equal(threshold, 255.5);
  // few values: every candidate above the outer one is equally good
  const few = of([1, 1, 1, 2, 2, 3]);
  const r = klThreshold(few);
  assert.equal(r.divergence, r.curve.at(-1));
  assert.equal(r.threshold, 3);
});

/** Mean squared error of the values themselves. */
function errorOf(data: ArrayLike<number>, t: number, qmax: number, f = (x: number) => x): number {
  const scale = t / qmax;
  let sum = 0;
  for (let i = 0; i < data.length; i++) {
    const x = data[i]!, v = x / scale;
    const q = Math.sign(v) * Math.floor(Math.abs(v) + 0.5);
    sum += (f(x) - f(Math.max(-qmax - 1, Math.min(qmax, q)) * scale)) ** 2;
  }
  return sum / data.length;
}

Deno.test("mse: no threshold of a fine grid is better on the values themselves", () => {
  for (const kind of kinds) {
    const data = values(kind, 8000, 31);
    const s = of(data);
    const { threshold, error } = mseThreshold(s);
    let least = Infinity;
    for (let k = 0; k <= 600; k++) {
      least = Math.min(least, errorOf(data, s.absmax * 0.02 ** (k / 600), 127));
    }
    const own = errorOf(data, threshold, 127);
    assert.ok(own <= least * 1.02, `${kind}: ${own} against ${least}`);
    assert.ok(Math.abs(error - own) <= own * 0.05, `${kind}: ${error} for ${own}`);
    assert.ok(Math.abs(quantizationError(s, threshold) - error) <= 1e-12);
  }
});

Deno.test("mse: int16 keeps everything", () => {
  const s = of(values("spiky", 8000, 2));
  assert.ok(mseThreshold(s, { qmax: 32767 }).threshold > 0.99 * s.absmax);
  assert.ok(mseThreshold(s).threshold < 0.99 * s.absmax);
});

Deno.test("mse through a function: range is not spent on what the function flattens", () => {
  // SiLU's input with a long negative tail: -40..6
  const u = random(8);
  const data = Float32Array.from({ length: 10_000 }, () => u() < 0.3 ? -40 * u() : 6 * u());
  const s = of(data);
  const { threshold, error } = mseThroughFunction(s, silu);
  assert.ok(threshold < 8, `${threshold}`);
  assert.ok(mseThreshold(s).threshold > 30);
  const own = errorOf(data, threshold, 127, silu);
  assert.ok(Math.abs(own - error) < own * 0.05);
  let least = Infinity;
  for (let k = 0; k <= 600; k++) {
    least = Math.min(least, errorOf(data, s.absmax * 0.02 ** (k / 600), 127, silu));
  }
  assert.ok(own <= least * 1.02, `${own} against ${least}`);
  // the identity is the plain search
  assert.deepEqual(mseThroughFunction(s, (x) => x), mseThreshold(s));
  // a coarse table of results: its own rounding is part of the error
  const coarse = mseThroughFunction(s, silu, { output: { scale: 0.5 } });
  assert.ok(coarse.error > error);
});

Deno.test("octav: the fixed point on the values themselves", () => {
  for (const kind of kinds) {
    const data = values(kind, 20_000, 41).map(Math.abs).filter((x) => x > 0);
    let t = data.reduce((a, b) => a + b, 0) / data.length;
    for (let i = 0; i < 100; i++) {
      let above = 0, sum = 0;
      for (const x of data) {
        if (x > t) {
          above++;
          sum += x;
        }
      }
      t = sum / (4 ** -8 / 3 * (data.length - above) + above);
    }
    const got = octavThreshold(of(data));
    const want = Math.min(t, Math.max(...data));
    assert.ok(Math.abs(got - want) < 0.02 * want, `${kind}: ${got} for ${want}`);
  }
});

/** Mean squared error with a zero point, of the values themselves. */
function errorOfRange(data: Float32Array, range: Range, f = (x: number) => x): number {
  const plan = rangePlan(range, "mse"), scale = planScale(plan);
  const sum = data.reduce((sum, x) => {
    const q = quantizeValue(x, scale, plan.zero, -128, 127);
    return sum + (f(x) - f((q - plan.zero) * scale)) ** 2;
  }, 0);
  return sum / data.length;
}

Deno.test("zero points: no range of a grid is better on the values themselves", () => {
  for (const kind of kinds) {
    const data = values(kind, 4000, 31), s = of(data);
    const { range, error } = mseRange(s);
    let least = Infinity;
    const ends = Array.from({ length: 25 }, (_, k) => 0.05 ** (k / 24));
    for (const a of ends) {
      for (const b of ends) {
        const tried = { min: Math.min(0, s.min * a), max: Math.max(0, s.max * b) };
        least = Math.min(least, errorOfRange(data, tried));
      }
    }
    const own = errorOfRange(data, range);
    assert.ok(own <= least * 1.03, `${kind}: ${own} against ${least}`);
    assert.ok(Math.abs(error - own) <= own * 0.05, `${kind}: ${error} for ${own}`);
  }
});

Deno.test("zero points: steps go where the values are, and where the function is not flat", () => {
  const relu = of(values("relu", 20_000, 5));
  // Steps of half the width leave less rounding noise to weigh against what is clipped.
  assert.ok(mseRange(relu).range.max > mseThreshold(relu).threshold * 1.02);
  assert.ok(octavThreshold(relu, { zeros: true }) > octavThreshold(relu) * 1.02);
  const cut = mseThreshold(relu, { zeros: true }).threshold;
  assert.ok(Math.abs(cut / mseRange(relu).range.max - 1) < 0.01);
  assert.equal(shareOfRange(relu, relu.absmax), 0.5);
  assert.equal(shareOfRange(of([-3, 1]), 2), 0.75);
  const u = random(8);
  const data = Float32Array.from({ length: 10_000 }, () => u() < 0.5 ? -40 * u() : 40 * u());
  const { range, error } = mseRange(of(data), silu);
  assert.ok(range.min > -12 && range.max > 35, `${range.min} ${range.max}`);
  assert.ok(error < mseThroughFunction(of(data), silu).error / 2);
  assert.ok(Math.abs(errorOfRange(data, range, silu) - error) < error * 0.05);
  assert.deepEqual(mseRange(of([0, 0])).range, { min: 0, max: 0 });
});
