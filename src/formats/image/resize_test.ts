import assert from "node:assert/strict";
import { BpuError } from "../../errors.ts";
import { centerCrop, crop, letterbox, pad } from "./geometry.ts";
import { type Picture, picture } from "./picture.ts";
import { resize, type ResizeMethod } from "./resize.ts";

const folder = new URL("../../../../shared/data/conformance/yuv/", import.meta.url);

function gray(width: number, height: number, values: readonly number[]): Picture {
  return picture(width, height, 1, Float32Array.from(values));
}

Deno.test("resize: against OpenCV, each method within 1", () => {
  let compared = 0;
  for (const name of ["bus", "goldfish", "monkey"]) {
    for (
      const [theirs, method] of [
        ["nearest", "nearest"],
        ["linear", "bilinear"],
        ["cubic", "bicubic"],
        ["area", "area"],
      ] as const
    ) {
      let rgb, expected;
      try {
        rgb = Deno.readFileSync(new URL(`${name}_96x64.rgb`, folder));
        expected = Deno.readFileSync(new URL(`${name}_to40x50.opencv.${theirs}.rgb`, folder));
      } catch {
        return console.log("skipped: 0 resize vectors found");
      }
      const ours = Array.from(resize(picture(96, 64, 3, rgb), 40, 50, method).data);
      const max = ours.reduce(
        (m, v, i) => Math.max(m, Math.abs(v - expected[i]!)),
        0,
      );
      assert.ok(max <= (method === "nearest" ? 0 : 1), `${name} ${method} ${max}`);
      compared++;
    }
  }
  assert.equal(compared, 12);
});

Deno.test("resize: values worked out by hand", () => {
  const p = gray(4, 1, [0, 10, 20, 30]);
  assert.deepEqual([...resize(p, 2, 1, "nearest").data], [0, 20]);
  assert.deepEqual([...resize(p, 2, 1, "bilinear").data], [5, 25]);
  assert.deepEqual([...resize(p, 2, 1, "area").data], [5, 25]);
  assert.deepEqual([...resize(gray(2, 1, [0, 10]), 4, 1, "bilinear").data], [0, 2.5, 7.5, 10]);
  assert.deepEqual([...resize(gray(2, 1, [0, 8]), 4, 1, "area").data], [0, 0, 8, 8]);
  assert.deepEqual([...resize(gray(3, 1, [0, 3, 9]), 2, 1, "area").data], [1, 7]);
  // Bicubic at the middle of four values with a = -0.75: weights -3/32, 19/32, 19/32, -3/32.
  const mid = resize(gray(4, 1, [0, 32, 64, 0]), 2, 1, "bicubic").data;
  assert.ok(Math.abs(mid[0]! - (-3 / 32 * 0 + 19 / 32 * 0 + 19 / 32 * 32 - 3 / 32 * 64)) < 1e-4);
});

/** skimage's resize(order=1, mode='reflect', anti_aliasing=True) as its documentation says, in 1-D. */
function skimage(row: readonly number[], to: number): number[] {
  const n = row.length, factor = n / to;
  const at = (i: number) => {
    const period = 2 * (n - 1);
    const m = ((i % period) + period) % period;
    return row[m < n ? m : period - m]!;
  };
  const sigma = Math.max(0, (factor - 1) / 2);
  const radius = Math.floor(4 * sigma + 0.5);
  const smooth = row.map((_, i) => {
    if (sigma === 0) return row[i]!;
    let sum = 0, total = 0;
    for (let k = -radius; k <= radius; k++) {
      const w = Math.exp(-(k * k) / (2 * sigma * sigma));
      sum += w * at(i + k);
      total += w;
    }
    return sum / total;
  });
  return Array.from({ length: to }, (_, i) => {
    const x = (i + 0.5) * factor - 0.5;
    const a = Math.floor(x);
    const f = x - a;
    const value = (k: number) => {
      const period = 2 * (n - 1);
      const m = ((k % period) + period) % period;
      return smooth[m < n ? m : period - m]!;
    };
    return (1 - f) * value(a) + f * value(a + 1);
  });
}

Deno.test("resize: antialias is skimage's Gaussian and bilinear step", () => {
  const row = Array.from({ length: 37 }, (_, i) => (i * i * 7 + 13 * i) % 256);
  for (const to of [5, 12, 36, 37, 50]) {
    const ours = resize(gray(37, 1, row), to, 1, "antialias").data;
    skimage(row, to).forEach((v, i) => assert.ok(Math.abs(v - ours[i]!) < 1e-3, `${to} ${i}`));
  }
  // A constant stays constant, and bytes become floats.
  const flat = resize(picture(9, 9, 3, new Uint8Array(243).fill(77)), 4, 2, "antialias");
  assert.ok(flat.data instanceof Float32Array);
  for (const v of flat.data) assert.ok(Math.abs(v - 77) < 1e-4);
});

Deno.test("resize: the same size is a copy, constants stay, sizes are checked", () => {
  const p = picture(3, 2, 3, Uint8Array.from({ length: 18 }, (_, i) => i));
  for (const method of ["nearest", "bilinear", "bicubic", "area"] as ResizeMethod[]) {
    const same = resize(p, 3, 2, method);
    assert.deepEqual(same.data, p.data);
    assert.notEqual(same.data, p.data);
    const flat = resize(picture(5, 7, 1, new Uint8Array(35).fill(200)), 11, 3, method);
    assert.ok(flat.data.every((v) => v === 200));
  }
  for (const [w, h] of [[0, 1], [1, -1], [1.5, 1], [1 << 17, 1], [NaN, 1]] as const) {
    assert.throws(() => resize(p, w, h), BpuError);
  }
});

Deno.test("geometry: crop, pad, letterbox", () => {
  const p = gray(3, 3, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.deepEqual([...crop(p, 1, 0, 2, 2).data], [2, 3, 5, 6]);
  assert.deepEqual([...centerCrop(p, 1, 1).data], [5]);
  assert.throws(() => crop(p, 2, 0, 2, 1), BpuError);
  assert.throws(() => centerCrop(p, 4, 1), BpuError);
  const padded = pad(gray(1, 1, [5]), { left: 1, top: 0, right: 0, bottom: 1 }, 9);
  assert.deepEqual([padded.width, padded.height, [...padded.data]], [2, 2, [9, 5, 9, 9]]);
  const colours = pad(picture(1, 1, 3, Uint8Array.of(1, 2, 3)), {
    left: 0,
    top: 0,
    right: 1,
    bottom: 0,
  }, [7, 8, 9]);
  assert.deepEqual([...colours.data], [1, 2, 3, 7, 8, 9]);
  assert.throws(() => pad(p, { left: -1, top: 0, right: 0, bottom: 0 }, 0), BpuError);
  const wide = picture(4, 2, 1, new Uint8Array(8).fill(200));
  const box = letterbox(wide, 4, 4);
  assert.deepEqual([box.scale, box.left, box.top], [1, 0, 1]);
  assert.deepEqual([...box.picture.data], [
    ...Array(4).fill(114),
    ...Array(8).fill(200),
    ...Array(4).fill(114),
  ]);
  const top = letterbox(wide, 2, 3, { anchor: "top-left", value: 0 });
  assert.deepEqual([top.scale, [...top.picture.data]], [0.5, [200, 200, 0, 0, 0, 0]]);
});
