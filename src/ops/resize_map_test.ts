/** Positions, indices and taps against stock onnxruntime-web on ramps. */

import assert from "node:assert/strict";
import { runOrt, testModel } from "../formats/onnx/test_models.ts";
import { attr, node } from "../ir/graph.ts";
import { f32, i64, type Tensor } from "../ir/tensor.ts";
import { linearTaps, nearestIndex, type ResizeAxis, sourcePositions } from "./resize_map.ts";

const coordinateModes = [
  "half_pixel",
  "pytorch_half_pixel",
  "asymmetric",
  "align_corners",
];
const nearestModes = ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"];

/** Sizes in and out, and how the model states them. */
const sizes: readonly { inSize: number; outSize?: number; scale?: number }[] = [
  { inSize: 8, scale: 2 },
  { inSize: 7, scale: 4 },
  { inSize: 10, scale: 0.5 },
  { inSize: 13, scale: 1.7 },
  { inSize: 13, scale: 0.6 },
  { inSize: 33, scale: 0.3333333 },
  { inSize: 5, outSize: 5 },
  { inSize: 5, outSize: 1 },
  { inSize: 1, outSize: 4 },
  { inSize: 20, outSize: 13 },
  { inSize: 13, outSize: 20 },
  { inSize: 100, outSize: 257 },
  { inSize: 257, outSize: 100 },
];

function axisOf(s: (typeof sizes)[number], coordinates: string, nearest?: string): ResizeAxis {
  const scale = s.scale ?? Math.fround(s.outSize! / s.inSize);
  const outSize = s.outSize ?? Math.floor(Math.fround(Math.fround(scale) * s.inSize));
  return { inSize: s.inSize, outSize, scale, coordinates, nearest };
}

/** Output of onnxruntime-web for the ramp 0, 1, 2, ... along the last axis. */
async function rampThrough(
  s: (typeof sizes)[number],
  mode: string,
  coordinates: string,
  nearest: string,
): Promise<Tensor> {
  const ramp = f32([1, 1, 1, s.inSize], Array.from({ length: s.inSize }, (_, i) => i));
  const initializers = new Map<string, Tensor>();
  if (s.scale !== undefined) initializers.set("scales", f32([4], [1, 1, 1, s.scale]));
  else initializers.set("sizes", i64([1, 1, 1, s.outSize!]));
  const out = await runOrt(
    testModel({
      opset: 19,
      inputs: [{ name: "x", shape: [1, 1, 1, s.inSize] }],
      outputs: [{ name: "y" }],
      initializers,
      nodes: [node(
        "Resize",
        "r",
        s.scale !== undefined ? ["x", "", "scales"] : ["x", "", "", "sizes"],
        ["y"],
        {
          mode: attr.string(mode),
          coordinate_transformation_mode: attr.string(coordinates),
          nearest_mode: attr.string(nearest),
        },
      )],
    }),
    new Map([["x", ramp]]),
  );
  return out.get("y")!;
}

Deno.test("nearest picks the pixels that onnxruntime picks", async () => {
  let compared = 0;
  for (const coordinates of coordinateModes) {
    for (const nearest of nearestModes) {
      for (const s of sizes) {
        const want = await rampThrough(s, "nearest", coordinates, nearest);
        const have = nearestIndex(axisOf(s, coordinates, nearest));
        const what = `${coordinates} ${nearest} ${JSON.stringify(s)}`;
        assert.equal(have.length, want.shape[3], what);
        assert.deepEqual([...have], [...want.data as Float32Array], what);
        compared++;
      }
    }
  }
  assert.equal(compared, 4 * 4 * sizes.length);
});

Deno.test("linear taps give what onnxruntime gives", async () => {
  for (const coordinates of coordinateModes) {
    for (const s of sizes) {
      const want = (await rampThrough(s, "linear", coordinates, "floor")).data as Float32Array;
      const { i0, i1, fraction } = linearTaps(axisOf(s, coordinates));
      const what = `${coordinates} ${JSON.stringify(s)}`;
      assert.equal(i0.length, want.length, what);
      want.forEach((w, i) => {
        const have = i0[i]! * (1 - fraction[i]!) + i1[i]! * fraction[i]!;
        // The products are rounded in float; a wrong tap or weight is off by far more.
        assert.ok(Math.abs(have - w) <= 1e-6 * s.inSize, `${what} [${i}]: ${have} is not ${w}`);
        assert.ok(fraction[i]! >= 0 && fraction[i]! < 1, what);
      });
    }
  }
});

Deno.test("cropping and unknown modes are refused with a sentence", () => {
  const axis = { inSize: 4, outSize: 8, scale: 2 };
  assert.throws(
    () => sourcePositions({ ...axis, coordinates: "tf_crop_and_resize" }),
    { code: "unsupported", message: /tf_crop_and_resize crops by its roi/ },
  );
  assert.throws(
    () => nearestIndex({ ...axis, coordinates: "asymmetric", nearest: "x" }),
    { code: "unsupported", message: "nearest_mode x is not known" },
  );
  assert.throws(
    () => linearTaps({ ...axis, coordinates: "y" }),
    { code: "unsupported", message: "coordinate_transformation_mode y is not known" },
  );
});
