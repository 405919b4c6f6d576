import { equal } from "node:assert/strict";
import { swapRedBlue } from "../image/mod.ts";
import { bgr2gray, bgr2yuv444, rgb2gray, rgb2yuv444 } from "./colour.ts";
import { fromPicture, type ImageArray, toPicture } from "./image.ts";
import { bgr2nv12, rgb2nv12 } from "./nv12.ts";
import { type PilFilter, pilResize as pilPicture } from "./pil_resize.ts";
import { type CvInterpolation, pilResize, resize, type Size } from "./resize.ts";
import type { SplineOrder } from "./spline.ts";
import type { Transformer } from "./transformer.ts";
import { warpAffine } from "./warp.ts";

interface Vector {
  readonly op: string;
  readonly size: [number, number];
  readonly target: [number, number];
  readonly kind: "u8" | "f32";
  readonly data: string;
}

const vectors = JSON.parse(
  Deno.readTextFileSync(new URL("testdata/vectors.json", import.meta.url)),
) as Vector[];

/** The picture of `testdata/make_vectors.py`. */
function image([h, w]: readonly [number, number]): ImageArray {
  const data = new Uint8Array(h * w * 3);
  for (let y = 0, i = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      for (let c = 0; c < 3; c++, i++) {
        const edge = (Math.floor(x / 7) + Math.floor(y / 5)) % 2 * 90;
        const noise = (x * 7919 + y * 104729 + c * 1299709) % 17;
        data[i] = (x * (5 + c) + y * (3 + 2 * c) + edge + noise) % 256;
      }
    }
  }
  return { shape: [h, w, 3], data };
}

const hwc = { data_format: "HWC" } as const;

/** The transformer for a vector, and how far it may be off (docs/preprocess.md has the same numbers). */
function subject(v: Vector): [Transformer, number] {
  const [kind, how] = v.op.split("_") as [string, string | undefined];
  const target: Size = v.target;
  switch (kind) {
    case "opencv": {
      const method = (how === "float" ? "linear" : how) as CvInterpolation;
      const t = resize(target, { mode: "opencv", interpolation: method });
      const f: Transformer = {
        name: "float",
        apply: (x) => t.apply({ ...x, data: Float32Array.from(x.data) }),
      };
      if (how === "float") return [f, 1e-3];
      return [t, how === "nearest" || how === "linear" ? 0 : 1];
    }
    case "pil":
      return [pilResize(target, { interpolation: how as PilFilter }), 0];
    case "skimage":
      return [resize(target, { method: Number(how) as SplineOrder }), 1e-5];
    case "gray":
      return [rgb2gray(hwc), 1];
    case "nv12":
      return [rgb2nv12({ ...hwc, cvt_mode: "opencv" }), 0];
    case "yuv444":
      return [rgb2yuv444(hwc), 1];
    case "warp":
      return [warpAffine(target), 4];
    default:
      throw new Error(`no subject for ${v.op}`);
  }
}

function decoded(v: Vector): Uint8Array | Float32Array {
  const bytes = Uint8Array.from(atob(v.data), (c) => c.charCodeAt(0));
  return v.kind === "u8" ? bytes : new Float32Array(bytes.buffer);
}

function worstOf(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let worst = 0;
  for (let i = 0; i < a.length; i++) worst = Math.max(worst, Math.abs(a[i]! - b[i]!));
  return worst;
}

for (const op of new Set(vectors.map((v) => v.op))) {
  Deno.test(`${op}: as the independent implementation`, () => {
    for (const v of vectors.filter((v) => v.op === op)) {
      const [t, limit] = subject(v);
      const ours = t.apply(image(v.size)).data, theirs = decoded(v);
      equal(ours.length, theirs.length);
      const worst = worstOf(ours, theirs);
      equal(worst <= limit, true, `${v.size} to ${v.target}: ${worst} is over ${limit}`);
    }
  });
}

Deno.test("BGR transformers are those of RGB with red and blue swapped", () => {
  const rgb = image([16, 12]);
  const bgr = fromPicture(swapRedBlue(toPicture(rgb, "test")));
  for (
    const [a, b] of [
      [rgb2gray(hwc), bgr2gray(hwc)],
      [rgb2yuv444(hwc), bgr2yuv444(hwc)],
      [rgb2nv12(hwc), bgr2nv12(hwc)],
    ] as const
  ) equal(String(b.apply(bgr).data), String(a.apply(rgb).data));
});

Deno.test("Pillow rounds after each direction", () => {
  // One direction only leaves the other as it is.
  const p = toPicture(image([8, 8]), "test");
  equal(String(pilPicture(p, 8, 8).data), String(p.data));
});

Deno.test("photographs: resize and colour as OpenCV", () => {
  const folder = new URL("../../../../shared/data/conformance/yuv/", import.meta.url);
  const cv = { mode: "opencv" } as const;
  const cases: readonly (readonly [string, Transformer, number])[] = [
    ["to40x50.opencv.nearest.rgb", resize([50, 40], { ...cv, interpolation: "nearest" }), 0],
    ["to40x50.opencv.linear.rgb", resize([50, 40], cv), 0],
    ["to40x50.opencv.cubic.rgb", resize([50, 40], { ...cv, interpolation: "cubic" }), 1],
    ["to40x50.opencv.area.rgb", resize([50, 40], { ...cv, interpolation: "area" }), 1],
    ["96x64.opencv.gray", rgb2gray(hwc), 1],
    ["96x64.opencv.nv12", rgb2nv12({ ...hwc, cvt_mode: "opencv" }), 0],
  ];
  let compared = 0;
  for (const photo of ["bus", "goldfish", "monkey"]) {
    for (const [name, t, limit] of cases) {
      let rgb, theirs;
      try {
        rgb = Deno.readFileSync(new URL(`${photo}_96x64.rgb`, folder));
        theirs = Deno.readFileSync(new URL(`${photo}_${name}`, folder));
      } catch {
        return console.log(`skipped: ${compared} photographs found`);
      }
      const ours = t.apply({ shape: [64, 96, 3], data: rgb }).data;
      equal(ours.length, theirs.length, name);
      const worst = worstOf(ours, theirs);
      equal(worst <= limit, true, `${photo} ${name}: ${worst} is over ${limit}`);
      compared++;
    }
  }
});
