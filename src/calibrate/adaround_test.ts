import assert from "node:assert/strict";
import { attr, node } from "../ir/graph.ts";
import { f32, type Tensor } from "../ir/tensor.ts";
import { chooseRounding, PatchMoments } from "./adaround.ts";
import { values } from "./test_support.ts";
import { fakeQuantizeWeights } from "./weights.ts";

/** A convolution by its definition, for the shapes of these tests. */
function conv(x: Tensor, w: Tensor, pad: number, stride: number, groups: number): Float64Array {
  const [, , height, width] = x.shape as [number, number, number, number];
  const [outputs, perGroup, kh, kw] = w.shape as [number, number, number, number];
  const oh = Math.floor((height + 2 * pad - kh) / stride) + 1;
  const ow = Math.floor((width + 2 * pad - kw) / stride) + 1;
  const out = new Float64Array(outputs * oh * ow);
  const xs = x.data as Float32Array, ws = w.data as Float32Array;
  for (let o = 0; o < outputs; o++) {
    const first = Math.floor(o / (outputs / groups)) * perGroup;
    for (let p = 0; p < oh * ow; p++) {
      for (let k = 0; k < perGroup * kh * kw; k++) {
        const c = Math.floor(k / (kh * kw)), i = Math.floor(k / kw) % kh, j = k % kw;
        const y = Math.floor(p / ow) * stride + i - pad, z = p % ow * stride + j - pad;
        if (y < 0 || z < 0 || y >= height || z >= width) continue;
        out[o * oh * ow + p]! += xs[((first + c) * height + y) * width + z]! *
          ws[o * perGroup * kh * kw + k]!;
      }
    }
  }
  return out;
}

const power = (a: Float64Array, b: Float64Array) =>
  a.reduce((s, v, i) => s + (v - b[i]!) ** 2, 0) / a.length;

/** Inputs whose channels go together, so that errors can cancel. */
function correlated(shape: number[], seed: number): Tensor {
  const own = values("normal", shape.reduce((a, b) => a * b, 1), seed);
  const plane = shape[2]! * shape[3]!;
  const common = values("relu", plane, seed + 1);
  return f32(shape, own.map((v, i) => 0.2 * v + common[i % plane]!));
}

for (
  const [name, groups, wShape, pad, stride] of [
    ["dense", 1, [6, 4, 3, 3], 1, 1],
    ["grouped with stride", 2, [6, 2, 3, 3], 1, 2],
    ["depthwise", 4, [4, 1, 3, 3], 0, 1],
  ] as const
) {
  Deno.test(`adaround: the error at the output shrinks, as predicted (${name})`, () => {
    const n = node("Conv", "c", ["x", "w"], ["y"], {
      group: attr.int(groups),
      pads: attr.ints([pad, pad, pad, pad]),
      strides: attr.ints([stride, stride]),
    });
    const w = f32([...wShape], values("normal", wShape.reduce((a: number, b) => a * b, 1), 3));
    const x = correlated([1, 4, 12, 12], 7);
    const out = Math.floor((12 + 2 * pad - 3) / stride) + 1;
    const moments = new PatchMoments(n, wShape);
    moments.add(x, [out, out]);
    const r = chooseRounding(w, moments);
    const exact = conv(x, w, pad, stride, groups);
    const nearest = power(conv(x, fakeQuantizeWeights(w, 0), pad, stride, groups), exact);
    const chosen = power(conv(x, r.weights, pad, stride, groups), exact);
    assert.ok(chosen < nearest * 0.8, `${nearest} -> ${chosen}`);
    // Every position was taken (there are fewer than the limit); the diagonal is damped.
    assert.ok(Math.abs(r.before / nearest - 1) < 0.1 && r.after >= chosen * 0.99);
    assert.ok(r.flipped > 0);
    // The converter rounds the result to itself, one step or less from the float weights.
    assert.deepEqual(fakeQuantizeWeights(r.weights, 0, r.thresholds).data, r.weights.data);
    const per = w.data.length / wShape[0];
    (r.weights.data as Float32Array).forEach((v, i) => {
      const step = r.thresholds[Math.floor(i / per)]! / 127;
      assert.ok(Math.abs(v - (w.data as Float32Array)[i]!) <= step * 1.0001);
    });
    const again = new PatchMoments(n, wShape);
    again.add(x, [out, out]);
    assert.deepEqual(chooseRounding(w, again).weights.data, r.weights.data);
  });
}
