import assert from "node:assert/strict";
import { BpuError } from "../errors.ts";
import { f32, tensor } from "../ir/tensor.ts";
import { scratch } from "../kernels/scratch.ts";
import { magnitudes } from "./magnitudes.ts";
import { mustHaveSamples, Observer, statsOf, strideFor } from "./stats.ts";
import { activation, type Kind, shuffled, values } from "./test_support.ts";

const kinds: Kind[] = ["normal", "laplace", "relu", "silu", "uniform", "spiky"];

/** The definition, element by element. */
function plain(data: number[], width: number, bins: number) {
  const positive = new Float64Array(bins), negative = new Float64Array(bins);
  for (const x of data) {
    if (x > 0) positive[Math.floor(x / width)]!++;
    if (x < 0) negative[Math.floor(-x / width)]!++;
  }
  return { positive, negative };
}

Deno.test("observer: counts, ranges and histogram are those of all elements together", () => {
  for (const kind of kinds) {
    const samples = [1, 2, 3].map((i) => activation(kind, 4000, i, 2 ** (i - 2) * 1.7));
    const s = statsOf("t", samples);
    const data = samples.flatMap((t) => [...t.data as Float32Array]);
    assert.equal(s.count, 12000);
    assert.equal(s.nonFinite, 0);
    assert.equal(s.zeros, data.filter((x) => x === 0).length);
    assert.equal(s.min, Math.min(...data));
    assert.equal(s.max, Math.max(...data));
    assert.equal(s.absmax, Math.max(...data.map(Math.abs)));
    // the narrowest power of two that holds the maximum
    assert.ok(Number.isInteger(Math.log2(s.width)));
    assert.ok(s.absmax < 8192 * s.width && s.absmax >= 4096 * s.width);
    const want = plain(data, s.width, 8192);
    assert.deepEqual(s.positive, want.positive);
    assert.deepEqual(s.negative, want.negative);
    for (let c = 0; c < 4; c++) {
      const own = samples.flatMap((
        t,
      ) => [...(t.data as Float32Array).subarray(c * 1000, c * 1000 + 1000)]);
      assert.equal(s.channels?.min[c], Math.min(...own));
      assert.equal(s.channels?.max[c], Math.max(...own));
    }
  }
});

Deno.test("observer: the order of the samples changes no bit", () => {
  // ranges that grow, shrink and cross powers of two, so that the bins are widened at other times
  const scales = [1e-30, 0.001, 1, 0.5, 100, 2, 3e4, 1e-3, 4096, 8192, 1e30];
  const samples = scales.map((scale, i) => activation(kinds[i % 6]!, 2000, i + 1, scale));
  samples.push(f32([1, 4, 1], [0, 0, 0, 0]), f32([1, 4, 1], [4096, -4096, 8192, -8192]));
  const want = statsOf("t", samples);
  for (let seed = 1; seed <= 12; seed++) {
    assert.deepEqual(statsOf("t", shuffled(samples, seed)), want);
  }
});

Deno.test("observer: a maximum that is a power of two is inside the last bins", () => {
  for (const x of [1, 2, 8192, 2 ** -20, 2 ** 100, 2 ** -149, 3.4028234663852886e38]) {
    for (const data of [[x], [-x], [x / 2, x], [x, -x, 0]]) {
      const s = statsOf("t", [f32([data.length], data)]);
      assert.equal(s.absmax, x);
      const total = [...s.positive, ...s.negative].reduce((a, b) => a + b, 0);
      assert.equal(total + s.zeros, data.length);
      assert.ok(Math.floor(x / s.width) < 8192);
    }
  }
});

Deno.test("observer: NaN and infinities are counted and change nothing else", () => {
  const clean = [1, -2, 0, 3.5];
  const dirty = [1, NaN, -2, Infinity, 0, -Infinity, 3.5, NaN];
  const a = statsOf("t", [f32([1, 1, 4], clean)]);
  const b = statsOf("t", [f32([1, 1, 8], dirty)]);
  assert.equal(b.nonFinite, 4);
  assert.deepEqual({ ...b, nonFinite: 0 }, a);
  // and in long runs, which take another way
  for (const bad of [NaN, Infinity, -Infinity]) {
    const long = new Float32Array(1200).fill(bad);
    long[700] = -3;
    long[1100] = 2;
    const s = statsOf("t", [f32([1, 3, 400], long)]);
    assert.deepEqual([s.min, s.max, s.nonFinite], [-3, 2, 1198]);
    assert.deepEqual([...s.channels!.min], [Infinity, -3, 2]);
    assert.deepEqual([...s.channels!.max], [-Infinity, -3, 2]);
  }
  const none = statsOf("t", [f32([2], [NaN, Infinity])]);
  assert.equal(none.count, 0);
  assert.equal(none.absmax, 0);
  assert.throws(
    () => mustHaveSamples(none),
    (e) => e instanceof BpuError && e.code === "calibration",
  );
  assert.throws(() => mustHaveSamples(statsOf("t", [])), BpuError);
});

Deno.test("observer: zeros, negative zeros and empty tensors", () => {
  const s = statsOf("t", [f32([0], []), f32([4], [0, -0, 0, -0])]);
  assert.equal(s.count, 4);
  assert.equal(s.zeros, 4);
  assert.equal(s.width, 0);
  assert.equal(s.absmax, 0);
});

Deno.test("observer: other dtypes are taken by value, channels must stay the same", () => {
  const ints = statsOf("t", [tensor("int64", [1, 2], BigInt64Array.of(-3n, 5n))]);
  assert.deepEqual([ints.min, ints.max], [-3, 5]);
  const half = statsOf("t", [tensor("float16", [2], Uint16Array.of(0x3c00, 0xc000))]);
  assert.deepEqual([half.min, half.max], [-2, 1]);
  assert.equal(half.channels, undefined);
  const mixed = statsOf("t", [f32([1, 2], [1, 2]), f32([1, 3], [1, 2, 3])]);
  assert.equal(mixed.channels, undefined);
});

Deno.test("observer: a large tensor is sampled evenly, its range stays exact", () => {
  const n = 4 * 50_000;
  const t = activation("normal", n, 7);
  (t.data as Float32Array)[12345] = 77; // alone, and not among the counted ones
  const all = statsOf("t", [t], { quota: Infinity });
  const some = statsOf("t", [t], { quota: 16384 });
  const stride = strideFor(n, 16384);
  assert.equal(stride, 11);
  assert.notEqual(12345 % stride, 0);
  assert.equal(some.count, Math.ceil(n / stride));
  assert.equal(some.max, 77);
  assert.equal(some.width, all.width);
  assert.deepEqual(some.channels, all.channels);
  const want = plain(
    [...t.data as Float32Array].filter((_, i) => i % stride === 0),
    some.width,
    8192,
  );
  assert.deepEqual(some.positive, want.positive);
});

Deno.test("stride: a prime that shares no factor with the tensor, within the quota", () => {
  for (
    const n of [
      1,
      100,
      16384,
      40000,
      50176,
      112 * 112 * 64,
      692224,
      3 * 7 * 11 * 13 * 1000,
      10 ** 7,
    ]
  ) {
    const k = strideFor(n, 16384);
    assert.ok(k === 1 || n % k !== 0);
    const counted = Math.ceil(n / k);
    assert.ok(counted <= 3 * 16384 || n <= 3 * 16384, `${n}: ${counted}`);
    assert.ok(counted >= Math.min(n, 16384), `${n}: ${counted}`);
  }
});

Deno.test("observer: counts that outgrow 32 bits go on in doubles", () => {
  const samples = [1, 2, 3].map((i) => activation("silu", 4000, i));
  assert.deepEqual(statsOf("t", samples, { wideFrom: 6000 }), statsOf("t", samples));
});

Deno.test("observer: memory does not grow with the samples, nor with the observers", () => {
  const o = new Observer("t");
  const size = () => {
    const s = o.stats();
    return [s.positive.length, s.negative.length, s.channels?.min.length, scratch().arena.used];
  };
  o.add(activation("normal", 400, 1));
  const before = size();
  for (let i = 0; i < 500; i++) o.add(activation("normal", 400, i, 1 + i));
  for (let i = 0; i < 50; i++) new Observer(`${i}`).add(activation("normal", 40_000, i));
  assert.deepEqual(size(), before);
});

Deno.test("magnitudes: both signs, merged to the number of bins asked for", () => {
  const data = [...values("normal", 5000, 3)];
  const s = statsOf("t", [f32([5000], data)]);
  for (const bins of [128, 300, 1024, 2048, 8192]) {
    const m = magnitudes(s, bins);
    assert.ok(
      m.counts.length <= bins && m.counts.length > bins / 2 - 1,
      `${bins}: ${m.counts.length}`,
    );
    assert.equal(m.total, 5000);
    const want = new Float64Array(m.counts.length);
    for (const x of data) want[Math.floor(Math.abs(x) / m.width)]!++;
    assert.deepEqual(m.counts, want);
  }
});
