import assert from "node:assert/strict";
import { BpuError } from "../errors.ts";
import { Arena } from "./arena.ts";
import { firstDifference, Random } from "./cases.ts";
import { nv12ToRgb, nv12ToYuv444, shift128 } from "./colour.ts";
import { nv12ToRgbRef, nv12ToYuv444Ref } from "./colour_ref.ts";

Deno.test("nv12 kernels equal their references at every width", () => {
  const arena = Arena.create();
  for (let width = 2; width <= 70; width += 2) {
    const r = new Random(width), height = 2 * r.int(1, 4);
    const x = r.ints(new Uint8Array(width * height * 3 / 2), 0, 255);
    const n = width * height * 3, mark = arena.mark();
    const px = arena.put(x), y = arena.alloc(n), want = new Uint8Array(n), guard = arena.alloc(64);
    arena.u8(guard, 64).fill(9);
    for (const range of ["regular", "bt601_video"] as const) {
      for (const order of ["rgb", "bgr"] as const) {
        nv12ToRgb(arena, { x: px, y, width, height, range, order });
        nv12ToRgbRef(x, want, width, height, range, order);
        assert.equal(firstDifference(arena.u8(y, n), want), -1, `${width} ${range} ${order}`);
      }
    }
    nv12ToYuv444(arena, { x: px, y, width, height });
    nv12ToYuv444Ref(x, want, width, height);
    assert.equal(firstDifference(arena.u8(y, n), want), -1, `${width} yuv444`);
    nv12ToYuv444(arena, { x: px, y, width, height, minus128: true });
    assert.equal(firstDifference(arena.i8(y, n), Int8Array.from(want, (v) => v - 128)), -1);
    shift128(arena, { x: y, y, n });
    assert.equal(firstDifference(arena.u8(y, n), want), -1, "the shift undoes itself");
    assert.ok(arena.u8(guard, 64).every((v) => v === 9));
    arena.release(mark);
  }
});

Deno.test("fixed point is within one of the real formula for every luma and chroma", () => {
  const width = 256, height = 2, x = new Uint8Array(width * height * 3 / 2);
  const y = new Uint8Array(width * height * 3);
  let worst = 0, different = 0;
  for (let u = 0; u < 256; u += 5) {
    for (let v = 0; v < 256; v += 5) {
      for (let i = 0; i < width; i++) {
        x[i] = i;
        x[512 + i] = i % 2 === 0 ? u : v;
      }
      nv12ToRgbRef(x, y, width, height, "regular", "rgb");
      for (let i = 0; i < width; i++) {
        const g = i - 0.344136 * (u - 128) - 0.714136 * (v - 128);
        const d = Math.abs(Math.min(255, Math.max(0, Math.floor(g + 0.5))) - y[3 * i + 1]!);
        worst = Math.max(worst, d);
        if (d > 0) different++;
      }
    }
  }
  assert.ok(worst <= 1 && different < 60, `${worst} ${different}`);
});

Deno.test("odd sizes are refused", () => {
  const arena = Arena.create(), x = arena.alloc(100), y = arena.alloc(100);
  assert.throws(() => nv12ToRgb(arena, { x, y, width: 3, height: 2 }), BpuError);
});
