/**
 * Colour, layout and resize kernels against their references in plain TypeScript, 1080p.
 *
 * @module
 */

import { Arena } from "../src/kernels/arena.ts";
import { nv12ToRgb, nv12ToYuv444 } from "../src/kernels/colour.ts";
import { nv12ToRgbRef, nv12ToYuv444Ref } from "../src/kernels/colour_ref.ts";
import {
  type AxisTable,
  type FromYuv,
  layout3,
  resizeSeparable,
  rgbToGray,
  rgbToNv12,
  rgbToYuv,
  swap3,
  type ToYuv,
  yuvToRgb,
} from "../src/kernels/picture.ts";
import {
  layout3Ref,
  resizeSeparableRef,
  rgbToGrayRef,
  rgbToNv12Ref,
  rgbToYuvRef,
  swap3Ref,
  yuvToRgbRef,
} from "../src/kernels/picture_ref.ts";
import { interleave, type Results } from "./measure.ts";

export async function benchColour(results: Results): Promise<void> {
  const width = 1920, height = 1080, arena = Arena.create({ initialBytes: 2 ** 24 });
  const bytes = new Uint8Array(width * height * 3 / 2).map((_, i) => i * 2654435761 >>> 20);
  const out = new Uint8Array(width * height * 3);
  const x = arena.put(bytes), y = arena.alloc(out.length);
  const t = await interleave([
    { name: "rgb", run: () => nv12ToRgb(arena, { x, y, width, height }) },
    { name: "rgbTs", run: () => nv12ToRgbRef(bytes, out, width, height, "regular", "rgb") },
    { name: "yuv", run: () => nv12ToYuv444(arena, { x, y, width, height }) },
    { name: "yuvTs", run: () => nv12ToYuv444Ref(bytes, out, width, height) },
  ], { budgetMs: 2000 });
  const row = (kernel: string, key: string) =>
    results.add({
      kernel,
      shape: "1920x1080",
      value: t.get(key)!,
      unit: "ms",
      ratios: { TypeScript: t.get(`${key}Ts`)! / t.get(key)! },
    });
  row("nv12ToRgb", "rgb");
  row("nv12ToYuv444", "yuv");
  await benchPictures(results, arena, width, height);
}

const to: ToYuv = {
  ...{ red: 0.299, green: 0.587, blue: 0.114, blueSpan: 1.772, redSpan: 1.402 },
  ...{ offset: 0, luma: 1, chroma: 1 },
};
const from: FromYuv = {
  ...{ offset: 0, luma: 1, chroma: 1 },
  matrix: [[1, 0, 1.402], [1, -0.344136, -0.714136], [1, 1.772, 0]],
};

/** Two taps for each output, a third of the input's size: a bilinear reduction. */
function axis(inputs: number): AxisTable {
  const outputs = Math.floor(inputs / 3);
  const index = new Int32Array(2 * outputs).map((_, i) => 3 * (i >> 1) + (i & 1));
  return { taps: 2, index, weight: new Float64Array(2 * outputs).fill(0.5) };
}

async function benchPictures(
  results: Results,
  arena: Arena,
  width: number,
  height: number,
): Promise<void> {
  const n = width * height, bytes = new Uint8Array(3 * n).map((_, i) => i * 2654435761 >>> 20);
  const floats = Float32Array.from(bytes);
  const out = new Uint8Array(3 * n), wide = new Float32Array(3 * n);
  const mark = arena.mark(), x = arena.put(bytes), xf = arena.put(floats);
  const y = arena.alloc(out.length, 16), yf = arena.alloc(wide.byteLength, 16);
  const size = { width, height, channels: 3 }, across = axis(width), down = axis(height);
  const smaller = new Uint8Array(3 * Math.floor(width / 3) * Math.floor(height / 3));
  const rows: readonly (readonly [string, () => void, () => void])[] = [
    [
      "rgbToYuv",
      () => rgbToYuv(arena, { x, y, n }, to),
      () => rgbToYuvRef(bytes, out, to, false, 0),
    ],
    [
      "yuvToRgb",
      () => yuvToRgb(arena, { x, y, n }, from),
      () => yuvToRgbRef(bytes, out, from, false, 0, 0),
    ],
    [
      "rgbToGray",
      () => rgbToGray(arena, { x, y, n }, to),
      () => rgbToGrayRef(bytes, out.subarray(0, n), to, false, 0),
    ],
    [
      "rgbToNv12",
      () => rgbToNv12(arena, { x, y, width, height }, to),
      () => rgbToNv12Ref(bytes, out, width, height, to, false, 0),
    ],
    ["swap3", () => swap3(arena, { x, y, n }), () => swap3Ref(bytes, out)],
    [
      "HWC to CHW",
      () => layout3(arena, { x, y, n, toPlanes: true }),
      () => layout3Ref(bytes, out, true),
    ],
    [
      "HWC to CHW f32",
      () => layout3(arena, { x: xf, y: yf, n, float: true, toPlanes: true }),
      () => layout3Ref(floats, wide, true),
    ],
    [
      "CHW to HWC",
      () => layout3(arena, { x, y, n, toPlanes: false }),
      () => layout3Ref(bytes, out, false),
    ],
    [
      "resize 1/3",
      () => resizeSeparable(arena, { x, y, ...size }, across, down),
      () => resizeSeparableRef(bytes, smaller, size, across, down),
    ],
  ];
  for (const [kernel, run, reference] of rows) {
    const t = await interleave([{ name: "wasm", run }, { name: "ts", run: reference }], {
      budgetMs: 600,
    });
    results.add({
      kernel,
      shape: "1920x1080x3",
      value: t.get("wasm")!,
      unit: "ms",
      ratios: { TypeScript: t.get("ts")! / t.get("wasm")! },
    });
  }
  arena.release(mark);
}
