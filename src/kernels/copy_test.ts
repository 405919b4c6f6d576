import assert from "node:assert/strict";
import { Arena } from "./arena.ts";
import { firstDifference, Random } from "./cases.ts";
import { copyStrided, fill } from "./copy.ts";
import { copyStridedRef } from "./copy_ref.ts";
import { stridesOf } from "../ir/tensor.ts";

Deno.test("layout changes of pictures, every element size, tiles and edges", () => {
  const arena = Arena.create();
  for (
    const [c, h, w] of [[16, 16, 16], [3, 17, 19], [33, 7, 9], [64, 5, 5], [1, 8, 8], [
      70,
      1,
      70,
    ]] as const
  ) {
    for (const elementBytes of [1, 2, 4] as const) {
      const n = 2 * c * h * w, r = new Random(n + elementBytes);
      const make = () =>
        elementBytes === 1
          ? new Uint8Array(n)
          : elementBytes === 2
          ? new Uint16Array(n)
          : new Int32Array(n);
      const src = r.ints(make(), 0, 100), dims = [2, c, h, w];
      const nchw = stridesOf(dims), nhwc = [h * w * c, 1, w * c, c];
      for (const [srcStrides, dstStrides] of [[nchw, nhwc], [nhwc, nchw]] as const) {
        const mark = arena.mark(), from = arena.put(src), to = arena.alloc(src.byteLength);
        copyStrided(arena, { src: from, dst: to, elementBytes, dims, srcStrides, dstStrides });
        const want = make(), got = make();
        copyStridedRef(src as Uint8Array, 0, want as Uint8Array, 0, {
          dims,
          srcStrides,
          dstStrides,
        });
        new Uint8Array(got.buffer).set(arena.u8(to, src.byteLength));
        assert.equal(firstDifference(got, want), -1, `${c}x${h}x${w}, ${elementBytes} bytes`);
        arena.release(mark);
      }
    }
  }
});

Deno.test("eight-byte elements are moved whole", () => {
  const arena = Arena.create(), src = Float64Array.from({ length: 35 }, (_, i) => Math.sqrt(i));
  const from = arena.put(src), to = arena.alloc(280);
  copyStrided(arena, {
    src: from,
    dst: to,
    elementBytes: 8,
    dims: [5, 7],
    srcStrides: [1, 5],
    dstStrides: [7, 1],
  });
  assert.deepEqual(
    arena.f64(to, 35).slice(),
    src.map((_, i) => Math.sqrt(Math.floor(i / 7) + 5 * (i % 7))),
  );
});

Deno.test("fill writes exactly its elements", () => {
  const arena = Arena.create();
  for (const elementBytes of [1, 2, 4, 8] as const) {
    const at = arena.alloc(64 * 8);
    arena.u8(at, 512).fill(0xee);
    fill(arena, { dst: at, n: 13, elementBytes, value: -3, high: -1 });
    const bytes = arena.u8(at, 512), size = 13 * elementBytes;
    for (let i = 0; i < size; i++) {
      assert.equal(
        bytes[i],
        i % elementBytes === 0 ? 0xfd : 0xff,
        `${elementBytes} bytes, byte ${i}`,
      );
    }
    assert.equal(bytes[size], 0xee);
  }
});

Deno.test("empty copies do nothing", () => {
  const arena = Arena.create(), at = arena.alloc(16);
  copyStrided(arena, {
    src: at,
    dst: at,
    elementBytes: 1,
    dims: [3, 0],
    srcStrides: [1, 1],
    dstStrides: [1, 1],
  });
  fill(arena, { dst: at, n: 0, elementBytes: 4, value: 1 });
});

Deno.test("a transpose of ten dimensions, none of which merge", () => {
  const arena = Arena.create(), dims = new Array<number>(10).fill(2), n = 2 ** 10;
  const src = new Random(3).ints(new Uint8Array(n), 0, 255);
  const g = { dims, srcStrides: [...stridesOf(dims)].reverse(), dstStrides: stridesOf(dims) };
  const from = arena.put(src), to = arena.alloc(n);
  copyStrided(arena, { src: from, dst: to, elementBytes: 1, ...g });
  const want = new Uint8Array(n);
  copyStridedRef(src, 0, want, 0, g);
  assert.deepEqual(arena.u8(to, n), want);
});
