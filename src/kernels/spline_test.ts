import assert from "node:assert/strict";
import { BpuError } from "../errors.ts";
import { Arena } from "./arena.ts";
import { Random } from "./cases.ts";
import { splineAlong, type SplineLine } from "./spline.ts";
import { splineAlongRef } from "./spline_ref.ts";

const poles = [[], [Math.sqrt(8) - 3], [Math.sqrt(3) - 2], [-0.36, -0.0137]];

Deno.test("splineAlong: kernel and reference give the same bits", () => {
  const arena = Arena.create();
  for (let seed = 1; seed <= 600; seed++) {
    const r = new Random(seed);
    const from = r.int(1, 14), to = r.int(1, 14), blocks = r.int(1, 4), step = r.int(1, 7);
    const taps = r.int(1, 6), radius = r.int(1, 5), real = () => r.int(-9999, 9999) / 997;
    const l: SplineLine = {
      from,
      table: {
        taps,
        index: Int32Array.from({ length: to * taps }, () => r.int(0, from - 1)),
        weight: Float64Array.from({ length: to * taps }, real),
      },
      ...(r.chance(0.5) ? {} : { blur: Float64Array.from({ length: 2 * radius + 1 }, real) }),
      poles: r.pick(poles),
    };
    const x = Float64Array.from({ length: blocks * from * step }, real);
    const want = new Float64Array(blocks * to * step), mark = arena.mark();
    splineAlongRef(x, want, blocks, step, l);
    const px = arena.put(x), y = arena.alloc(want.byteLength, 16), guard = arena.alloc(32, 1);
    arena.u8(guard, 32).fill(0xa5);
    splineAlong(arena, { x: px, y, blocks, step }, l);
    assert.ok(
      arena.u8(guard, 32).every((v) => v === 0xa5),
      `case ${seed} writes behind its result`,
    );
    assert.deepEqual(arena.f64(y, want.length).slice(), want, `case ${seed}`);
    arena.release(mark);
  }
});

Deno.test("tables that do not fit are refused", () => {
  const arena = Arena.create(), x = arena.alloc(64), y = arena.alloc(64);
  const table = { taps: 1, index: Int32Array.of(2), weight: Float64Array.of(1) };
  const g = { x, y, blocks: 1, step: 1 };
  assert.throws(() => splineAlong(arena, g, { from: 2, table, poles: [] }), BpuError);
  const fine = { ...table, index: Int32Array.of(1) };
  const blur = Float64Array.of(1, 2);
  assert.throws(() => splineAlong(arena, g, { from: 2, table: fine, blur, poles: [] }), BpuError);
});
