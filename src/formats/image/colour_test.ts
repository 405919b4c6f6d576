import assert from "node:assert/strict";
import { BpuError } from "../../errors.ts";
import {
  chwToHwc,
  grayToRgb,
  hwcToChw,
  nv12Size,
  nv12ToRgb,
  nv12ToYuv444,
  rgbToGray,
  rgbToNv12,
  rgbToYuv444,
  swapRedBlue,
  yuv444ToNv12,
  yuv444ToRgb,
  yuvRanges,
} from "./colour.ts";
import { picture, toByte, toBytes } from "./picture.ts";

const folder = new URL("../../../../shared/data/conformance/yuv/", import.meta.url);
const read = (file: string) => Deno.readFileSync(new URL(file, folder));
const names = ["bus", "goldfish", "monkey"];

function present(): boolean {
  try {
    Deno.statSync(folder);
    return true;
  } catch {
    console.log("skipped: 0 YUV vectors found");
    return false;
  }
}

function differ(a: ArrayLike<number>, b: ArrayLike<number>): { max: number; mean: number } {
  assert.equal(a.length, b.length);
  let max = 0, sum = 0;
  for (let i = 0; i < a.length; i++) {
    const d = Math.abs(a[i]! - b[i]!);
    max = Math.max(max, d);
    sum += d;
  }
  return { max, mean: sum / a.length };
}

const px = (...values: number[]) => picture(values.length / 3, 1, 3, Uint8Array.from(values));

Deno.test("colour: known values of BT.601, full and video range", () => {
  const colours = px(255, 255, 255, 0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255, 127, 127, 127);
  assert.deepEqual([...rgbToYuv444(colours).data], [
    ...[255, 128, 128, 0, 128, 128, 76, 85, 255],
    ...[150, 44, 21, 29, 255, 107, 127, 128, 128],
  ]);
  assert.deepEqual([...rgbToYuv444(colours, yuvRanges.bt601_video).data], [
    ...[235, 128, 128, 16, 128, 128, 81, 90, 240],
    ...[145, 54, 34, 41, 240, 110, 125, 128, 128],
  ]);
});

Deno.test("colour: RGB to YUV and back loses at most 2, nothing in floats", () => {
  for (const range of Object.values(yuvRanges)) {
    const data = new Uint8Array(3 * 4096);
    for (let i = 0; i < 4096; i++) {
      data.set([(i & 15) * 17, ((i >> 4) & 15) * 17, (i >> 8) * 17], 3 * i);
    }
    const p = picture(64, 64, 3, data);
    assert.ok(differ(yuv444ToRgb(rgbToYuv444(p, range), range).data, data).max <= 2);
    const f = { ...p, data: Float32Array.from(data) };
    assert.ok(differ(yuv444ToRgb(rgbToYuv444(f, range), range).data, data).max < 1e-3);
  }
});

Deno.test("colour: chroma of nv12 is the mean of 2x2, repeated on the way back", () => {
  const yuv = picture(2, 2, 3, Uint8Array.of(1, 10, 200, 2, 20, 201, 3, 31, 202, 4, 41, 203));
  const nv12 = yuv444ToNv12(yuv);
  // (10 + 20 + 31 + 41) / 4 = 25.5 and (200 + 201 + 202 + 203) / 4 = 201.5, rounded half up.
  assert.deepEqual([...nv12], [1, 2, 3, 4, 26, 202]);
  assert.deepEqual([...nv12ToYuv444(nv12, 2, 2).data], [
    1,
    26,
    202,
    2,
    26,
    202,
    3,
    26,
    202,
    4,
    26,
    202,
  ]);
  assert.throws(() => nv12Size(3, 2), BpuError);
  assert.throws(() => nv12ToYuv444(new Uint8Array(5), 2, 2), BpuError);
});

Deno.test("colour: grey, red and blue, planes", () => {
  assert.deepEqual([...rgbToGray(px(255, 0, 0, 0, 255, 0, 0, 0, 255)).data], [76, 150, 29]);
  assert.deepEqual([...swapRedBlue(px(1, 2, 3, 4, 5, 6)).data], [3, 2, 1, 6, 5, 4]);
  assert.deepEqual([...grayToRgb(picture(2, 1, 1, Uint8Array.of(7, 8))).data], [7, 7, 7, 8, 8, 8]);
  const hwc = Uint8Array.of(1, 2, 3, 4, 5, 6);
  assert.deepEqual([...hwcToChw(hwc, 1, 2, 3)], [1, 4, 2, 5, 3, 6]);
  assert.deepEqual(chwToHwc(hwcToChw(hwc, 1, 2, 3), 1, 2, 3), hwc);
  assert.throws(() => rgbToGray(picture(1, 1, 1, Uint8Array.of(1))), BpuError);
});

Deno.test("picture: rounding is half up and saturating", () => {
  assert.deepEqual([-1, 0.49, 0.5, 1.5, 254.5, 300, NaN].map(toByte).slice(0, 6), [
    0,
    0,
    1,
    2,
    255,
    255,
  ]);
  assert.deepEqual([
    ...toBytes({ width: 2, height: 1, channels: 1, data: Float32Array.of(1.5, -3) }).data,
  ], [2, 0]);
  assert.throws(() => picture(2, 2, 3, new Uint8Array(11)), BpuError);
});

Deno.test("colour: against OpenCV and ffmpeg (largest differences as stated)", () => {
  if (!present()) return;
  for (const name of names) {
    const rgb = picture(96, 64, 3, read(`${name}_96x64.rgb`));
    assert.ok(differ(rgbToGray(rgb).data, read(`${name}_96x64.opencv.gray`)).max <= 1);
    // OpenCV's YCrCb is full-range BT.601 with the chroma planes swapped.
    const ycrcb = rgbToYuv444(rgb).data;
    for (let i = 0; i < ycrcb.length; i += 3) {
      [ycrcb[i + 1], ycrcb[i + 2]] = [ycrcb[i + 2]!, ycrcb[i + 1]!];
    }
    assert.ok(differ(ycrcb, read(`${name}_96x64.opencv.ycrcb`)).max <= 1);
    const luma = 96 * 64;
    for (
      const [tool, range] of [
        ["ffmpeg.bt601.pc", yuvRanges.regular],
        ["ffmpeg.bt601.tv", yuvRanges.bt601_video],
        ["opencv", yuvRanges.bt601_video],
      ] as const
    ) {
      const theirs = read(`${name}_96x64.${tool}.nv12`);
      const ours = rgbToNv12(rgb, range);
      assert.ok(
        differ(ours.subarray(0, luma), theirs.subarray(0, luma)).max <= 1,
        `${name} ${tool}`,
      );
      // ffmpeg's scaler weights chroma a little differently; OpenCV takes the top left pixel of each block.
      const chroma = differ(ours.subarray(luma), theirs.subarray(luma));
      assert.ok(chroma.mean < (tool === "opencv" ? 2.1 : 0.5), `${name} ${tool} ${chroma.mean}`);
      const back = differ(
        nv12ToRgb(theirs, 96, 64, range).data,
        read(`${name}_96x64.${tool}.nv12.rgb`),
      );
      assert.ok(back.max <= 1, `${name} ${tool} ${back.max}`);
    }
  }
});
