import assert from "node:assert/strict";
import { Arena } from "./arena.ts";
import { Random } from "./cases.ts";
import { copyRowsF32 } from "./copy_f32.ts";

Deno.test("float rows against a walk over every index", () => {
  const arena = Arena.create();
  for (let seed = 1; seed <= 200; seed++) {
    const r = new Random(seed), rank = r.int(1, 5);
    const dims = Array.from(
      { length: rank },
      (_, i) => i + 1 === rank ? r.int(2, 300) : r.int(1, 4),
    );
    // Room between the rows of both sides; a source stride of 0 repeats, a negative one walks back.
    const strides = (gap: () => number) => {
      let step = 1;
      return dims.map((_, i) => rank - 1 - i).map((i) => {
        const s = step;
        step = step * dims[i]! + gap();
        return s;
      }).reverse();
    };
    const src = strides(() => r.int(0, 3)), dst = strides(() => r.int(0, 3));
    const extent = (s: number[]) => 1 + s.reduce((sum, v, i) => sum + v * (dims[i]! - 1), 0);
    const x = Float32Array.from({ length: extent(src) }, (_, i) => i + 1), mark = arena.mark();
    const back = rank > 1 && dims[0]! > 1 && r.chance(0.3);
    const from = arena.put(x) + (back ? src[0]! * (dims[0]! - 1) * 4 : 0);
    if (back) src[0] = -src[0]!;
    const size = extent(dst), to = arena.alloc(size * 4 + 16);
    const want = new Float32Array(size + 4).fill(-1);
    arena.f32(to, size + 4).fill(-1);
    for (let i = 0; i < dims.reduce((a, b) => a * b); i++) {
      let rest = i, a = back ? -src[0]! * (dims[0]! - 1) : 0, b = 0;
      for (let d = rank - 1; d >= 0; d--) {
        a += rest % dims[d]! * src[d]!;
        b += rest % dims[d]! * dst[d]!;
        rest = Math.floor(rest / dims[d]!);
      }
      want[b] = x[a]!;
    }
    copyRowsF32(arena, { src: from, dst: to, dims, srcStrides: src, dstStrides: dst });
    assert.deepEqual(arena.f32(to, size + 4).slice(), want, `seed ${seed}`);
    arena.release(mark);
  }
  const args = { src: arena.alloc(64), dst: arena.alloc(64), dims: [2, 2] };
  assert.throws(
    () => copyRowsF32(arena, { ...args, srcStrides: [1, 2], dstStrides: [2, 1] }),
    /dense/,
  );
});
