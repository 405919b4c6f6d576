import { deepEqual, equal, throws } from "node:assert/strict";
import { encodePng, picture } from "../image/mod.ts";
import {
  add,
  bgr2rgb,
  centerCrop,
  chw2hwc,
  f32ToS8,
  f32ToU8,
  hwc2chw,
  type ImageArray,
  longSideCrop,
  mean,
  modelChains,
  normalize,
  nv12ToYuv444,
  pad,
  paddedCenterCrop,
  padResize,
  parsePictureList,
  pilCenterCrop,
  pilResize,
  preparePicture,
  reduceChannel,
  resize,
  rgb2bgr,
  rgb2gray128,
  rgb2nv12,
  rgb2yuv444_128,
  rgb2yuvBt601Video,
  runChain,
  scale,
  shortLongResize,
  shortSideResize,
  transpose,
  yuvOf,
} from "./mod.ts";

/** An image whose value is 100 y + 10 x + c. */
function numbered(h: number, w: number, c = 3): ImageArray {
  const data = new Float32Array(h * w * c);
  for (let i = 0; i < data.length; i++) {
    data[i] = 100 * Math.floor(i / (w * c)) + 10 * (Math.floor(i / c) % w) + i % c;
  }
  return { shape: [h, w, c], data };
}

const hwc = { data_format: "HWC" } as const;
const values = (x: ImageArray) => [...x.data];
const at = (x: ImageArray, y: number, column: number) =>
  x.data[(y * x.shape[1]! + column) * x.shape[2]!];

Deno.test("arithmetic: values and types", () => {
  const x = { shape: [1, 1, 3], data: Uint8Array.of(10, 20, 250) };
  deepEqual(values(add(5).apply(x)), [15, 25, 255]);
  deepEqual(values(scale(2).apply(x)), [20, 40, 500]);
  deepEqual(values(normalize(10).apply(x)), [1, 2, 25]);
  deepEqual(values(mean([1, 2, 3], hwc).apply(x)), [9, 18, 247]);
  deepEqual(values(mean([1, 2, 3]).apply({ ...x, shape: [3, 1, 1] })), [9, 18, 247]);
  throws(() => mean([1, 2, 3]).apply(x), /3 means for 1 channels/);
  const f = { shape: [4], data: Float32Array.of(-200.5, -1.7, 1.7, 300) };
  deepEqual(f32ToS8().apply(f).data, Int8Array.of(-128, -1, 1, 127));
  deepEqual(f32ToU8().apply(f).data, Uint8Array.of(0, 0, 1, 255));
  throws(() => normalize(0), /must not be 0/);
});

Deno.test("layout: there and back", () => {
  const x = numbered(2, 3);
  const y = hwc2chw().apply(x);
  deepEqual(y.shape, [3, 2, 3]);
  deepEqual(values(y).slice(0, 6), [0, 10, 20, 100, 110, 120]);
  deepEqual(chw2hwc().apply(y), x);
  deepEqual(transpose([1, 2, 0]).apply(y), x);
  throws(() => transpose([0, 0, 1]).apply(x), /does not fit/);
  deepEqual(values(reduceChannel(hwc).apply(x)), [0, 10, 20, 100, 110, 120]);
  deepEqual(reduceChannel().apply(y).shape, [1, 2, 3]);
});

Deno.test("crops: where they begin and how large they are", () => {
  const x = numbered(5, 8);
  const check = (y: ImageArray, shape: number[], first: number) => {
    deepEqual(y.shape, [...shape, 3]);
    equal(y.data[0], first);
  };
  check(centerCrop(4).apply(x), [4, 4], 20);
  check(centerCrop(3).apply(x), [3, 3], 120); // 2.5 columns: to the left
  check(pilCenterCrop(3).apply(x), [3, 3], 120); // 2.5 rounds to 2
  check(pilCenterCrop(2).apply(numbered(5, 9)), [2, 2], 240); // 1.5 to 2, 3.5 to 4
  check(longSideCrop().apply(x), [5, 5], 10);
  // floor(224 / 256 * 5) = 4; (5 - 4 + 1) / 2 = 1 and (8 - 4 + 1) / 2 = 2.
  check(paddedCenterCrop().apply(x), [4, 4], 120);
  throws(() => centerCrop(6).apply(x), /not inside of a picture/);
});

Deno.test("resizes: sizes that keep proportions", () => {
  const x = numbered(30, 40);
  const shape = (y: ImageArray) => y.shape.slice(0, 2);
  deepEqual(shape(shortSideResize(15).apply(x)), [15, 20]);
  deepEqual(shape(shortSideResize(16, { mode: "opencv" }).apply(x)), [16, 21]);
  deepEqual(shape(pilResize(16).apply(x)), [16, 21]);
  deepEqual(shape(pilResize([7, 9]).apply(x)), [7, 9]);
  deepEqual(shape(shortLongResize(60, 200).apply(x)), [60, 80]);
  deepEqual(shape(shortLongResize(60, 60).apply(x)), [45, 60]);
  deepEqual(shape(resize([10, 11]).apply(x)), [10, 11]);
  throws(() => resize([0, 3]).apply(x), /cannot be resized to 0x3/);
  throws(() => resize([3, 3]).apply({ shape: [9], data: new Uint8Array(9) }), /3 dimensions/);
});

Deno.test("padding: where the picture stands", () => {
  const x = { shape: [4, 8, 1], data: new Uint8Array(32).fill(200) };
  const middle = padResize([8, 8]).apply(x);
  deepEqual([at(middle, 1, 0), at(middle, 2, 0), at(middle, 5, 7), at(middle, 6, 0)], [
    ...[127, 200, 200, 127],
  ]);
  const corner = padResize([8, 8], { pad_position: "bottom_right", pad_value: 0 }).apply(x);
  deepEqual([at(corner, 0, 0), at(corner, 3, 7), at(corner, 4, 0)], [200, 200, 0]);
  const padded = pad({ size_divisor: 4, target_size: 9 }).apply(x);
  deepEqual(padded.shape, [12, 12, 1]);
  deepEqual([at(padded, 3, 7), at(padded, 3, 8), at(padded, 4, 0)], [200, 0, 0]);
  throws(() => pad({ size_divisor: 1, target_size: 5 }).apply(x), /cannot pad 8x4 to 5x5/);
});

Deno.test("colours: known pixels", () => {
  const white = { shape: [1, 1, 3], data: Uint8Array.of(255, 255, 255) };
  const red = { shape: [1, 1, 3], data: Uint8Array.of(255, 0, 0) };
  deepEqual(values(rgb2gray128(hwc).apply(white)), [127]);
  deepEqual(values(rgb2yuv444_128(hwc).apply(white)), [127, 0, 0]);
  deepEqual(values(rgb2yuvBt601Video(hwc).apply(white)), [235, 128, 128]);
  deepEqual(values(rgb2yuvBt601Video(hwc).apply(red)), [81, 90, 240]);
  deepEqual(
    values(yuvOf("RGB", hwc).apply(red)),
    values(yuvOf("BGR", hwc).apply(rgb2bgr(hwc).apply(red))),
  );
  deepEqual(values(bgr2rgb(hwc).apply(red)), [0, 0, 255]);
  throws(
    () => rgb2bgr().apply({ shape: [2, 2, 3], data: new Uint8Array(12) }),
    /3 channels in CHW/,
  );
});

Deno.test("NV12: chroma is halved and comes back", () => {
  const x = { shape: [2, 4, 3], data: new Uint8Array(24).fill(77) };
  const y = rgb2nv12(hwc).apply(x);
  deepEqual(y.shape, [3, 4]);
  deepEqual(values(y), [77, 77, 77, 77, 77, 77, 77, 77, 128, 128, 128, 128]);
  const back = nv12ToYuv444([2, 4], { yuv444_output_layout: "CHW" }).apply(y);
  deepEqual(back.shape, [3, 2, 4]);
  deepEqual(values(back).slice(6, 10), [77, 77, 128, 128]);
  throws(() => rgb2nv12(hwc).apply({ shape: [1, 2, 3], data: new Uint8Array(6) }), /even/);
  throws(() => nv12ToYuv444([4, 4]).apply(y), /has 24 bytes, got 12/);
});

Deno.test("every named model gives NV12 of its size, twice the same", async () => {
  const data = Uint8Array.from({ length: 70 * 90 * 3 }, (_, i) => (i * 31 + (i >> 5)) % 256);
  const file = await encodePng(picture(90, 70, 3, data));
  equal(modelChains.size >= 24, true);
  const large = new Set<string>();
  for (const [name, model] of modelChains) {
    const [h, w] = model.size;
    // One of the large ones will do: they share their chain.
    const key = model.chain.map((t) => t.name).join();
    if (large.has(key)) continue;
    large.add(key);
    const y = await preparePicture(file, "a.png", model);
    deepEqual(y.shape, [h * 3 / 2, w], name);
    equal(y.data instanceof Uint8Array, true);
    if (h > 512) continue;
    deepEqual(await preparePicture(file, "a.png", model), y);
  }
});

Deno.test("a chain runs on a list, its steps have names", () => {
  const chain = [hwc2chw(), mean([1, 2, 3]), scale(0.5)];
  const [a, b] = runChain(chain, [numbered(1, 2), numbered(2, 2)]);
  deepEqual(values(a!), [-0.5, 4.5, -0.5, 4.5, -0.5, 4.5]);
  deepEqual(b!.shape, [3, 2, 2]);
  deepEqual(chain.map((t) => t.name), [
    "HWC2CHWTransformer()",
    'MeanTransformer(means=[1,2,3], data_format="CHW")',
    "ScaleTransformer(value=0.5)",
  ]);
});

Deno.test("lists of pictures", () => {
  deepEqual(parsePictureList("./a.JPEG 3\r\n# no\nb/c.png\td\n", "v"), [
    { name: "a.JPEG", output: "a.bin", line: 1 },
    { name: "b/c.png", output: "b/c.bin", line: 3 },
  ]);
  for (const bad of ["/a.png", "a/../../b.png", "C:a.png", "a\\b.png", "", "a\na.png"]) {
    throws(() => parsePictureList(bad, "v"), { name: "BpuError" }, bad);
  }
});
