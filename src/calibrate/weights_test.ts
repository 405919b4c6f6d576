import assert from "node:assert/strict";
import { BpuError } from "../errors.ts";
import { f32 } from "../ir/tensor.ts";
import { channelMaxima, guardBias, weightScales, weightThresholds } from "./weights.ts";
import { values } from "./test_support.ts";

Deno.test("weights: maxima along any axis", () => {
  const data = values("normal", 2 * 3 * 4, 1);
  const w = f32([2, 3, 4], data);
  const at = (i: number, j: number, k: number) => Math.abs(data[(i * 3 + j) * 4 + k]!);
  const want = (axis: number, n: number) =>
    Array.from({ length: n }, (_, c) => {
      let m = 0;
      for (let i = 0; i < 2; i++) {
        for (let j = 0; j < 3; j++) {
          for (let k = 0; k < 4; k++) if ([i, j, k][axis] === c) m = Math.max(m, at(i, j, k));
        }
      }
      return m;
    });
  for (const [axis, n] of [[0, 2], [1, 3], [2, 4]] as const) {
    assert.deepEqual([...channelMaxima(w, axis)], want(axis, n));
  }
  assert.throws(() => channelMaxima(w, 3), BpuError);
  assert.throws(
    () => channelMaxima(f32([2], [1, NaN]), 0),
    (e) => e instanceof BpuError && e.code === "numeric",
  );
});

Deno.test("weights: dead channels are found and get a usable threshold", () => {
  const w = f32([4, 2], [1, -8, 0, 0, 1e-9, 0, 1e-4, 0]);
  const { thresholds, dead } = weightThresholds(w, 0);
  assert.deepEqual(dead, [1, 2]);
  assert.deepEqual([...thresholds], [8, 8e-6, 8e-6, 1e-4].map(Math.fround));
  const zero = weightThresholds(f32([2, 1], [0, 0]), 0);
  assert.deepEqual(zero.dead, [0, 1]);
  assert.ok([...weightScales(zero.thresholds)].every((s) => s >= Math.fround(1e-8) && s < 1.1e-8));
});

Deno.test("weights: the bias fits after the guard, and scales that fit are kept", () => {
  const scales = Float32Array.of(0.01, 1e-8, 1e-8, 0.02);
  const bias = [1, 5, -1e6, 0];
  const scaleX = 0.001;
  const { scales: out, enlarged } = guardBias(scales, bias, scaleX);
  assert.deepEqual(enlarged, [1, 2]);
  assert.equal(out[0], scales[0]);
  assert.equal(out[3], scales[3]);
  for (let c = 0; c < 4; c++) {
    const q = Math.abs(bias[c]!) / (scaleX * out[c]!);
    assert.ok(q <= 2 ** 30, `${q}`);
    if (enlarged.includes(c)) assert.ok(q > 2 ** 30 * 0.999999);
  }
  // also where the scale is rounded to float32
  const many = values("normal", 500, 6).map((b) => b * 1e5);
  const tight = guardBias(new Float32Array(500).fill(1e-8), many, scaleX).scales;
  many.forEach((b, c) => assert.ok(Math.abs(b) / (scaleX * tight[c]!) <= 2 ** 30));
  assert.throws(() => guardBias(scales, [NaN, 0, 0, 0], scaleX), BpuError);
});
