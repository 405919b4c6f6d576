import assert from "node:assert/strict";
import { BpuError } from "../errors.ts";
import { Arena } from "./arena.ts";
import { firstDifference } from "./cases.ts";
import { layout3, resizeSeparable, rgbToGray, rgbToNv12, rgbToYuv } from "./picture.ts";
import { pictureRows } from "./picture_cases.ts";
import { rgbToGrayRef, rgbToYuvRef } from "./picture_ref.ts";
import { runCases } from "./registry.ts";

const full = {
  ...{ red: 0.299, green: 0.587, blue: 0.114, offset: 0, luma: 1, chroma: 1 },
  ...{ blueSpan: 1.772, redSpan: 1.402 },
};

for (const row of pictureRows) {
  Deno.test(`${row.name}: kernel and reference give the same bits`, () => {
    assert.equal(runCases(Arena.create(), row, 1, 1500), null);
  });
}

Deno.test("every pair of values rounds alike, ties included", () => {
  // 65536 pixels: red and green take all pairs, blue follows them.
  const n = 65536, x = new Uint8Array(3 * n);
  for (let i = 0; i < n; i++) x.set([i & 255, i >> 8, (i * 7 + (i >> 8) * 13) & 255], 3 * i);
  const arena = Arena.create(), px = arena.put(x), y = arena.alloc(3 * n);
  const want = new Uint8Array(3 * n);
  rgbToYuv(arena, { x: px, y, n }, full);
  rgbToYuvRef(x, want, full, false, 0);
  assert.equal(firstDifference(arena.u8(y, 3 * n), want), -1);
  rgbToGray(arena, { x: px, y, n, bgr: true }, full);
  rgbToGrayRef(x, want, full, true, 0);
  assert.equal(firstDifference(arena.u8(y, n), want.subarray(0, n)), -1);
});

Deno.test("calls that break the contract are refused", () => {
  const arena = Arena.create(), x = arena.alloc(300, 16), y = arena.alloc(300, 16);
  const one = { taps: 1, index: Int32Array.of(0), weight: Float64Array.of(1) };
  const bad = { ...one, index: Int32Array.of(1) };
  const size = { x, y, width: 1, height: 1, channels: 3 };
  for (
    const call of [
      () => rgbToNv12(arena, { x, y, width: 3, height: 2 }, full),
      () => rgbToYuv(arena, { x, y, n: 2 ** 40 }, full),
      () => rgbToYuv(arena, { x: x + 1, y, n: 1, float: true }, full),
      () => rgbToYuv(arena, { x, y, n: 1, float: true, minus128: true }, full),
      () => layout3(arena, { x: -5, y, n: 1, toPlanes: true }),
      () => resizeSeparable(arena, size, bad, one),
      () => resizeSeparable(arena, size, one, { ...one, weight: new Float64Array(2) }),
    ]
  ) assert.throws(call, BpuError);
});
