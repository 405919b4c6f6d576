import assert from "node:assert/strict";
import { BpuError } from "../../errors.ts";
import { elementCount, f32, type Tensor, tensor } from "../../ir/tensor.ts";
import type { CompleteInput, Layout } from "../config/types.ts";
import { hwcToChw, rgbToNv12, rgbToYuv444, swapRedBlue, yuvRanges } from "../image/colour.ts";
import { picture } from "../image/picture.ts";
import { fromRuntimeInput, oddRange, runtimeByteSize, toModelInput } from "./convert.ts";
import { preprocessMatrix } from "./preprocess.ts";
import { input } from "./test_inputs.ts";

/** Pseudo-random bytes 0..255. */
function bytes(n: number, seed = 1): Uint8Array {
  let s = seed;
  return Uint8Array.from({ length: n }, () => {
    s = (s * 1103515245 + 12345) & 0x7fffffff;
    return (s >> 16) & 255;
  });
}

const W = 6, H = 4;
const rgb = picture(W, H, 3, bytes(W * H * 3));

/** Interleaved values as a tensor in a layout. */
function inLayout(hwc: ArrayLike<number>, channels: number, layout: Layout): Tensor {
  const data = Float32Array.from(hwc);
  return layout === "NHWC"
    ? tensor("float32", [1, H, W, channels], data)
    : tensor("float32", [1, channels, H, W], hwcToChw(data, H, W, channels));
}

function shapeFor(layout: Layout, c: number): number[] {
  return layout === "NCHW" ? [1, c, H, W] : [1, H, W, c];
}

const pairs = [
  ["rgb", "nv12", "regular"],
  ["bgr", "nv12", "regular"],
  ["rgb", "nv12", "bt601_video"],
  ["bgr", "nv12", "bt601_video"],
  ["yuv444", "nv12", "regular"],
  ["rgb", "yuv444", "regular"],
  ["bgr", "yuv444", "regular"],
  ["yuv444", "yuv444", "regular"],
  ["rgb", "rgb", "regular"],
  ["rgb", "bgr", "regular"],
  ["bgr", "rgb", "regular"],
  ["bgr", "bgr", "regular"],
  ["gray", "gray", "regular"],
] as const;

/** The picture in a training type. */
function trained(type: CompleteInput["typeTrain"]): Uint8Array {
  if (type === "bgr") return swapRedBlue(rgb).data as Uint8Array;
  if (type === "yuv444") return rgbToYuv444(rgb).data as Uint8Array;
  if (type === "gray") return rgb.data.filter((_, i) => i % 3 === 0);
  return rgb.data;
}

/** The same picture as the camera would deliver it. */
function delivered(i: CompleteInput): Uint8Array {
  switch (i.typeRt) {
    case "nv12":
      if (i.typeTrain === "yuv444") {
        const yuv = { ...rgb, data: trained("yuv444") };
        const out = new Uint8Array(W * H * 1.5);
        for (let k = 0; k < W * H; k++) out[k] = yuv.data[3 * k]!;
        for (let y = 0; y < H; y += 2) {
          for (let x = 0; x < W; x += 2) {
            for (const c of [1, 2]) {
              const at = (dy: number, dx: number) => yuv.data[((y + dy) * W + x + dx) * 3 + c]!;
              out[W * H + (y / 2) * W + x + c - 1] = Math.floor(
                (at(0, 0) + at(0, 1) + at(1, 0) + at(1, 1)) / 4 + 0.5,
              );
            }
          }
        }
        return out;
      }
      return rgbToNv12(rgb, yuvRanges[i.spaceAndRange]);
    case "yuv444":
      return rgbToYuv444(rgb).data as Uint8Array;
    case "bgr":
      return swapRedBlue(rgb).data as Uint8Array;
    case "gray":
      return trained("gray");
    default:
      return rgb.data;
  }
}

Deno.test("convert: a sample and the camera's bytes of the same picture give the same model input", () => {
  for (const [typeTrain, typeRt, spaceAndRange] of pairs) {
    for (const layoutTrain of ["NCHW", "NHWC"] as const) {
      for (const layoutRt of ["NCHW", "NHWC", undefined] as const) {
        const c = typeTrain === "gray" ? 1 : 3;
        const i = input({
          typeTrain,
          typeRt,
          spaceAndRange,
          layoutTrain,
          layoutRt,
          shape: shapeFor(layoutTrain, c),
        });
        const label = `${typeTrain} ${typeRt} ${spaceAndRange} ${layoutTrain} ${layoutRt}`;
        const sample = toModelInput(inLayout(trained(typeTrain), c, layoutTrain), i);
        let data = delivered(i);
        const runtime = layoutRt ?? layoutTrain;
        if (typeRt !== "nv12" && runtime === "NCHW") data = hwcToChw(data, H, W, c);
        assert.equal(data.length, runtimeByteSize(i));
        const live = fromRuntimeInput(data, i);
        assert.deepEqual(live, sample, label);
        assert.deepEqual(sample.shape, i.shape);
        for (const v of sample.data as Float32Array) {
          assert.ok(Number.isInteger(v) && v >= -128 && v <= 127);
        }
        assert.deepEqual(fromRuntimeInput(tensor("uint8", [data.length], data), i), sample);
      }
    }
  }
});

Deno.test("preprocess: the matrix brings the model input back to the training type", () => {
  for (const [typeTrain, typeRt, spaceAndRange] of pairs) {
    const c = typeTrain === "gray" ? 1 : 3;
    // One colour in all pixels: halving the chroma then changes nothing.
    const flat = [200, 90, 31].slice(0, c);
    const i = input({ typeTrain, typeRt, spaceAndRange, shape: [1, c, H, W] });
    const sample = tensor(
      "float32",
      i.shape,
      Float32Array.from({ length: c * H * W }, (_, k) => flat[Math.floor(k / (H * W))]!),
    );
    const x = toModelInput(sample, i).data as Float32Array;
    for (
      const norm of [
        { type: "no_preprocess", mean: [], scale: [] },
        { type: "data_mean", mean: [10], scale: [] },
        { type: "data_scale", mean: [], scale: c === 1 ? [0.5] : [0.5, 0.25, 2] },
        { type: "data_mean_and_scale", mean: c === 1 ? [3] : [1, 2, 3], scale: [0.017] },
      ] as const
    ) {
      const m = preprocessMatrix({ ...i, norm })!;
      for (let o = 0; o < c; o++) {
        let y = m.bias[o]!;
        for (let k = 0; k < c; k++) y += m.weight[o * c + k]! * x[k * H * W]!;
        const mean = norm.mean.length === 0 ? 0 : norm.mean[norm.mean.length === 1 ? 0 : o]!;
        const scale = norm.scale.length === 0 ? 1 : norm.scale[norm.scale.length === 1 ? 0 : o]!;
        const want = (flat[o]! - mean) * scale;
        // Rounding to bytes costs up to half a step of each YUV component.
        assert.ok(
          Math.abs(y - want) <= 2 * scale,
          `${typeTrain} ${typeRt} ${norm.type} ${y} ${want}`,
        );
      }
    }
  }
});

Deno.test("preprocess: the weights that a real converted model has", () => {
  const m = preprocessMatrix(input({ norm: { type: "data_scale", mean: [], scale: [1 / 255] } }))!;
  // Largest weight of each row: 1.402/255, 1/255, 1.772/255.
  const rows = [0, 1, 2].map((o) => Math.max(...m.weight.subarray(3 * o, 3 * o + 3).map(Math.abs)));
  [0.0054980392, 0.0039215689, 0.0069490196].forEach((v, o) =>
    assert.ok(Math.abs(rows[o]! - v) < 1e-9)
  );
  for (const b of m.bias) assert.ok(Math.abs(b - 128 / 255) < 1e-12);
});

Deno.test("preprocess: featuremaps have none, or a diagonal one", () => {
  const feature = { typeTrain: "featuremap", typeRt: "featuremap" } as const;
  assert.equal(preprocessMatrix(input(feature)), undefined);
  assert.equal(preprocessMatrix(input({ ...feature, shape: [1, 10] })), undefined);
  const m = preprocessMatrix(input({
    ...feature,
    layoutTrain: "NHWC",
    shape: [1, 4, 4, 2],
    norm: { type: "data_mean_and_scale", mean: [1, 2], scale: [10] },
  }))!;
  assert.deepEqual([...m.weight], [10, 0, 0, 10]);
  assert.deepEqual([...m.bias], [-10, -20]);
});

Deno.test("convert: featuremaps pass unchanged, and follow the runtime layout", () => {
  const feature = input({ typeTrain: "featuremap", typeRt: "featuremap", shape: [1, 2, 1, 3] });
  const t = f32([1, 2, 1, 3], [0.5, -1e9, 3, 4, 5, 6]);
  assert.equal(toModelInput(t, feature), t);
  const raw = new Uint8Array((t.data as Float32Array).slice().buffer);
  assert.deepEqual(fromRuntimeInput(raw, feature), t);
  const nhwc = fromRuntimeInput(f32([6], [0.5, 4, -1e9, 5, 3, 6]), {
    ...feature,
    layoutRt: "NHWC",
  });
  assert.deepEqual(nhwc.data, t.data);
  const flat = input({
    typeTrain: "featuremap",
    typeRt: "featuremap",
    shape: [2, 2],
    layoutRt: "NHWC",
  });
  assert.deepEqual([...fromRuntimeInput(f32([4], [1, 2, 3, 4]), flat).data as Float32Array], [
    1,
    2,
    3,
    4,
  ]);
});

Deno.test("convert: batches are independent", () => {
  for (const layoutTrain of ["NCHW", "NHWC"] as const) {
    for (const [typeTrain, typeRt, space] of pairs) {
      const c = typeTrain === "gray" ? 1 : 3;
      const one = shapeFor(layoutTrain, c);
      const size = elementCount(one);
      const a = Float32Array.from(bytes(size, 3)), b = Float32Array.from(bytes(size, 9));
      const both = new Float32Array([...a, ...b]);
      const single = input({ typeTrain, typeRt, spaceAndRange: space, layoutTrain, shape: one });
      const double = { ...single, shape: [2, ...one.slice(1)] };
      const want = [a, b].flatMap((
        d,
      ) => [...toModelInput(tensor("float32", one, d), single).data as Float32Array]);
      assert.deepEqual([
        ...toModelInput(tensor("float32", double.shape, both), double).data as Float32Array,
      ], want);
      const raw = bytes(runtimeByteSize(double), 5);
      const half = raw.length / 2;
      const parts = [raw.slice(0, half), raw.slice(half)].flatMap((
        r,
      ) => [...fromRuntimeInput(r, single).data as Float32Array]);
      assert.deepEqual([...fromRuntimeInput(raw, double).data as Float32Array], parts);
    }
  }
});

Deno.test("convert: values are rounded half up and saturated", () => {
  const i = input({ typeTrain: "rgb", typeRt: "rgb", shape: [1, 3, 1, 2] });
  const out = toModelInput(f32([1, 3, 1, 2], [-5, 0.5, 254.5, 300, 12.49, 1.5]), i);
  assert.deepEqual([...out.data as Float32Array], [-128, -127, 127, 127, -116, -126]);
});

Deno.test("convert: sizes, channels and odd pictures are checked", () => {
  const i = input();
  assert.throws(
    () => fromRuntimeInput(new Uint8Array(35), i),
    (e) => e instanceof BpuError && /36 bytes of nv12.*got 35/.test(e.message),
  );
  assert.throws(() => fromRuntimeInput(f32([3], [1, 2, 3]), i), BpuError);
  assert.throws(() => toModelInput(f32([1, 1, 2, 2], [1, 2, 3, 4]), i), /has 1/);
  const odd = f32([1, 3, 1, 2], [1, 2, 3, 4, 5, 6]);
  assert.throws(() => toModelInput(odd, { ...i, shape: [1, 3, 1, 2] }), /even/);
});

Deno.test("convert: data that was normalised before is noticed", () => {
  const i = input({ shape: [1, 3, 2, 2] });
  const with12 = (f: (k: number) => number) =>
    f32([1, 3, 2, 2], Array.from({ length: 12 }, (_, k) => f(k)));
  assert.equal(oddRange(with12((k) => k * 20), i), undefined);
  assert.match(oddRange(with12((k) => k / 12), i)!, /look normalised/);
  assert.match(oddRange(with12((k) => k - 6), i)!, /from -6 to 5; rgb samples have 0 to 255/);
  assert.equal(oddRange(with12(() => 0), i), undefined);
  assert.equal(
    oddRange(with12((k) => k - 6), input({ typeRt: "featuremap", typeTrain: "featuremap" })),
    undefined,
  );
});
