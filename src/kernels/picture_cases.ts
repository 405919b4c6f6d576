/**
 * Random cases of the picture kernels, in the form of the registry's rows. They are not part of the vectors
 * of docs/conformance: those are the integer arithmetic of programs.
 *
 * @module
 */

import type { Arena } from "./arena.ts";
import type { Case, KernelRow, Random } from "./cases.ts";
import {
  type AxisTable,
  type FromYuv,
  layout3,
  repeat3,
  resizeSeparable,
  rgbToGray,
  rgbToNv12,
  rgbToYuv,
  swap3,
  type ToYuv,
  yuvToRgb,
} from "./picture.ts";
import {
  layout3Ref,
  repeat3Ref,
  resizeSeparableRef,
  rgbToGrayRef,
  rgbToNv12Ref,
  rgbToYuvRef,
  swap3Ref,
  type Values,
  yuvToRgbRef,
} from "./picture_ref.ts";

function toYuv(r: Random): ToYuv {
  const video = r.chance(0.5);
  return {
    ...{ red: 0.299, green: 0.587, blue: 0.114, blueSpan: 1.772, redSpan: 1.402 },
    ...(video
      ? { offset: 16, luma: 219 / 255, chroma: 224 / 255 }
      : { offset: 0, luma: 1, chroma: 1 }),
  };
}

function fromYuv(r: Random): FromYuv {
  const video = r.chance(0.5);
  return {
    ...(video
      ? { offset: 16, luma: 255 / 219, chroma: 255 / 224 }
      : { offset: 0, luma: 1, chroma: 1 }),
    matrix: [[1, 0, 1.402], [1, -0.344136, -0.714136], [1, 1.772, 0]],
  };
}

function picture(r: Random, n: number, float: boolean): Values {
  const bytes = r.ints(new Uint8Array(n), 0, 255);
  return float
    ? Float32Array.from(bytes, (v) => v + (r.chance(0.5) ? r.int(-999, 999) / 997 : 0))
    : bytes;
}

/** Runs on the arena and checks that nothing is written behind the result. */
function run(arena: Arena, x: Values, want: Values, call: (x: number, y: number) => void): Values {
  const mark = arena.mark();
  const px = arena.put(x), y = arena.alloc(want.byteLength, 16), guard = arena.alloc(32, 1);
  arena.u8(guard, 32).fill(0xa5);
  call(px, y);
  if (!arena.u8(guard, 32).every((v) => v === 0xa5)) throw new Error("writes behind its result");
  const got = want instanceof Uint8Array
    ? arena.u8(y, want.length).slice()
    : arena.f32(y, want.length).slice();
  arena.release(mark);
  return got;
}

const like = (x: Values, n: number): Values =>
  x instanceof Uint8Array ? new Uint8Array(n) : new Float32Array(n);

const pixelKernels = ["rgbToYuv", "rgbToGray", "yuvToRgb", "layout3", "swap3", "repeat3"] as const;
type Pixels = typeof pixelKernels[number];

function pixelCase(r: Random, name: Pixels): Case {
  const n = r.int(0, 70), float = r.chance(0.4), bgr = r.chance(0.5);
  const minus128 = !float && r.chance(0.4), shifted = !float && r.chance(0.4);
  const toPlanes = r.chance(0.5), x = picture(r, name === "repeat3" ? n : 3 * n, float);
  const to = toYuv(r), from = fromYuv(r), flip = minus128 ? 0x80 : 0;
  const empty = () => like(x, name === "rgbToGray" ? n : 3 * n);
  return {
    params: { n, float, bgr, minus128, shifted, toPlanes, offset: to.offset },
    inputs: { x },
    kernel: (arena) =>
      run(arena, x, empty(), (px, y) => {
        const g = { x: px, y, n, float, bgr, minus128 };
        if (name === "rgbToYuv") rgbToYuv(arena, g, to);
        else if (name === "rgbToGray") rgbToGray(arena, g, to);
        else if (name === "yuvToRgb") yuvToRgb(arena, { ...g, shifted }, from);
        else if (name === "swap3") swap3(arena, { x: px, y, n, float });
        else if (name === "repeat3") repeat3(arena, { x: px, y, n, float });
        else layout3(arena, { x: px, y, n, float, toPlanes });
      }),
    reference() {
      const y = empty();
      if (name === "rgbToYuv") rgbToYuvRef(x, y, to, bgr, flip);
      else if (name === "rgbToGray") rgbToGrayRef(x, y, to, bgr, flip);
      else if (name === "yuvToRgb") yuvToRgbRef(x, y, from, bgr, shifted ? 0x80 : 0, flip);
      else if (name === "swap3") swap3Ref(x, y);
      else if (name === "repeat3") repeat3Ref(x, y);
      else layout3Ref(x, y, toPlanes);
      return y;
    },
  };
}

function nv12Case(r: Random): Case {
  const width = 2 * r.int(0, 20), height = 2 * r.int(0, 6), bgr = r.chance(0.5);
  const minus128 = r.chance(0.5), x = picture(r, width * height * 3, false) as Uint8Array;
  const f = toYuv(r), empty = () => new Uint8Array(width * height * 3 / 2);
  return {
    params: { width, height, bgr, minus128, offset: f.offset },
    inputs: { x },
    kernel: (arena) =>
      run(
        arena,
        x,
        empty(),
        (px, y) => rgbToNv12(arena, { x: px, y, width, height, bgr, minus128 }, f),
      ),
    reference() {
      const y = empty();
      rgbToNv12Ref(x, y, width, height, f, bgr, minus128 ? 0x80 : 0);
      return y;
    },
  };
}

function axis(r: Random, from: number, to: number): AxisTable {
  const taps = r.int(1, 5), n = to * taps;
  const index = Int32Array.from({ length: n }, () => r.int(0, from - 1));
  const weight = Float64Array.from({ length: n }, () => r.chance(0.2) ? 0 : r.int(-300, 700) / 997);
  return { taps, index, weight };
}

function resizeCase(r: Random): Case {
  const width = r.int(1, 12), height = r.int(1, 9), channels = r.pick([1, 1, 2, 3, 3, 3, 4, 5]);
  const outW = r.int(1, 12), outH = r.int(1, 9), float = r.chance(0.4), floatOut = r.chance(0.3);
  const across = axis(r, width, outW), down = axis(r, height, outH);
  const x = picture(r, width * height * channels, float), n = outW * outH * channels;
  const empty = () => float || floatOut ? new Float32Array(n) : new Uint8Array(n);
  const size = { width, height, channels };
  return {
    params: { ...size, outW, outH, float, floatOut, taps: [across.taps, down.taps] },
    inputs: { x },
    kernel: (arena) =>
      run(
        arena,
        x,
        empty(),
        (px, y) => resizeSeparable(arena, { ...size, x: px, y, float, floatOut }, across, down),
      ),
    reference() {
      const y = empty();
      resizeSeparableRef(x, y, size, across, down);
      return y;
    },
  };
}

const row = (name: string, make: (r: Random) => Case): KernelRow => ({
  name,
  section: 0,
  weight: 1,
  make,
});

/** One row a kernel. */
export const pictureRows: readonly KernelRow[] = [
  ...pixelKernels.map((name) => row(name, (r) => pixelCase(r, name))),
  row("rgbToNv12", nv12Case),
  row("resizeSeparable", resizeCase),
];
