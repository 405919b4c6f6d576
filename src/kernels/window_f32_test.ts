import assert from "node:assert/strict";
import { Arena } from "./arena.ts";
import { Random } from "./cases.ts";
import type { ConvShape } from "./conv_shape.ts";
import { normalizeF32, reduceF32, softmaxF32 } from "./reduce_f32.ts";
import { poolF32, resizeLinearF32, resizeNearestF32 } from "./window_f32.ts";

const values = (r: Random, n: number) =>
  Float32Array.from({ length: n }, () => r.int(-500, 500) / 64);

function close(got: ArrayLike<number>, want: ArrayLike<number>, what: string): void {
  assert.equal(got.length, want.length);
  for (let i = 0; i < want.length; i++) {
    const d = Math.abs(got[i]! - want[i]!);
    assert.ok(
      d <= 2e-6 * Math.max(1, Math.abs(want[i]!)),
      `${what} [${i}]: ${got[i]}, not ${want[i]}`,
    );
  }
}

Deno.test("float pools against a scalar loop", () => {
  const arena = Arena.create();
  for (let seed = 1; seed <= 200; seed++) {
    const r = new Random(seed), C = r.int(1, 40);
    const [kernelH, kernelW, dilationH, dilationW] = [
      r.int(1, 4),
      r.int(1, 4),
      r.int(1, 2),
      r.int(1, 2),
    ];
    const inH = r.int(1, 8), inW = r.int(1, 8), strideH = r.int(1, 3), strideW = r.int(1, 3);
    // Every window has a tap inside.
    const padTop = r.int(0, dilationH > 1 ? 0 : kernelH - 1);
    const padLeft = r.int(0, dilationW > 1 ? 0 : kernelW - 1);
    const outs = (size: number, stride: number, pad: number) =>
      Math.floor((size - 1 + pad) / stride) + 1;
    const s: ConvShape = {
      ...{
        batch: r.int(1, 2),
        inH,
        inW,
        inC: C,
        outC: C,
        group: 1,
        kernelH,
        kernelW,
        strideH,
        strideW,
      },
      ...{ padTop, padLeft, padBottom: 0, padRight: 0, dilationH, dilationW },
      ...{ outH: outs(inH, strideH, padTop), outW: outs(inW, strideW, padLeft) },
    };
    const x = values(r, s.batch * inH * inW * C), count = s.batch * s.outH * s.outW * C;
    for (
      const [kind, countIncludePad] of [["max", false], ["average", false], [
        "average",
        true,
      ]] as const
    ) {
      const want: number[] = [];
      for (let i = 0; i < count; i++) {
        const c = i % C, ox = Math.floor(i / C) % s.outW, oy = Math.floor(i / C / s.outW) % s.outH;
        const n = Math.floor(i / C / s.outW / s.outH);
        const taps: number[] = [];
        for (let ky = 0; ky < kernelH; ky++) {
          for (let kx = 0; kx < kernelW; kx++) {
            const iy = oy * strideH - padTop + ky * dilationH,
              ix = ox * strideW - padLeft + kx * dilationW;
            if (iy < 0 || iy >= inH || ix < 0 || ix >= inW) continue;
            taps.push(x[((n * inH + iy) * inW + ix) * C + c]!);
          }
        }
        const all = countIncludePad ? kernelH * kernelW : taps.length;
        want.push(kind === "max" ? Math.max(...taps) : taps.reduce((a, b) => a + b, 0) / all);
      }
      const mark = arena.mark(), y = arena.alloc(count * 4);
      poolF32(arena, { kind, x: arena.put(x), y, shape: s, countIncludePad });
      close(arena.f32(y, count), want, `seed ${seed} ${kind}`);
      arena.release(mark);
    }
  }
});

Deno.test("float resizes against a scalar loop", () => {
  const arena = Arena.create();
  for (let seed = 1; seed <= 60; seed++) {
    const r = new Random(seed);
    const g = {
      ...{
        batch: r.int(1, 2),
        inH: r.int(1, 6),
        inW: r.int(1, 6),
        outH: r.int(1, 9),
        outW: r.int(1, 9),
      },
      channels: r.int(1, 20),
    };
    const at = (n: number, size: number) =>
      Int32Array.from({ length: n }, () => r.int(0, size - 1));
    const axis = (n: number, size: number) => ({
      ...{ i0: at(n, size), i1: at(n, size) },
      w: Float32Array.from({ length: n }, () => r.int(0, 16) / 16),
    });
    const axisH = axis(g.outH, g.inH), axisW = axis(g.outW, g.inW), C = g.channels;
    const x = values(r, g.batch * g.inH * g.inW * C), count = g.batch * g.outH * g.outW * C;
    const linear: number[] = [], nearest: number[] = [];
    for (let i = 0; i < count; i++) {
      const c = i % C, ox = Math.floor(i / C) % g.outW, oy = Math.floor(i / C / g.outW) % g.outH;
      const n = Math.floor(i / C / g.outW / g.outH);
      const tap = (h: number, w: number) => x[((n * g.inH + h) * g.inW + w) * C + c]!;
      const row = (h: number) =>
        tap(h, axisW.i0[ox]!) * (1 - axisW.w[ox]!) + tap(h, axisW.i1[ox]!) * axisW.w[ox]!;
      linear.push(row(axisH.i0[oy]!) * (1 - axisH.w[oy]!) + row(axisH.i1[oy]!) * axisH.w[oy]!);
      nearest.push(tap(axisH.i0[oy]!, axisW.i0[ox]!));
    }
    const mark = arena.mark(), px = arena.put(x), y = arena.alloc(count * 4);
    resizeLinearF32(arena, { ...g, x: px, y, axisH, axisW });
    close(arena.f32(y, count), linear, `seed ${seed} linear`);
    resizeNearestF32(arena, { ...g, x: px, y, indexH: axisH.i0, indexW: axisW.i0 });
    close(arena.f32(y, count), nearest, `seed ${seed} nearest`);
    arena.release(mark);
  }
});

Deno.test("float reductions and softmax against a scalar loop", () => {
  const arena = Arena.create();
  for (let seed = 1; seed <= 200; seed++) {
    const r = new Random(seed), outer = r.int(1, 3), reduce = r.int(1, 40);
    const inner = r.chance(0.5) ? 1 : r.int(2, 40);
    const x = values(r, outer * reduce * inner), mark = arena.mark(), px = arena.put(x);
    const y = arena.alloc(x.byteLength);
    const lines = Array.from(
      { length: outer * inner },
      (_, i) =>
        Array.from(
          { length: reduce },
          (_, k) => x[(Math.floor(i / inner) * reduce + k) * inner + i % inner]!,
        ),
    );
    const sum = (v: number[]) => v.reduce((a, b) => a + b, 0);
    const fold = {
      sum,
      mean: (v: number[]) => sum(v) / v.length,
      max: (v: number[]) => Math.max(...v),
      min: (v: number[]) => Math.min(...v),
    };
    for (const op of ["sum", "mean", "max", "min"] as const) {
      reduceF32(arena, { op, x: px, y, outer, reduce, inner });
      close(arena.f32(y, outer * inner), lines.map(fold[op]), `seed ${seed} ${op}`);
    }
    softmaxF32(arena, { x: px, y, outer, reduce, inner });
    const want = new Float64Array(x.length);
    lines.forEach((v, i) => {
      const top = Math.max(...v), all = sum(v.map((t) => Math.exp(t - top)));
      v.forEach((t, k) => {
        want[(Math.floor(i / inner) * reduce + k) * inner + i % inner] = Math.exp(t - top) / all;
      });
    });
    close(arena.f32(y, x.length), want, `seed ${seed} softmax`);
    const scale = values(r, reduce), shift = values(r, reduce), rows = outer * inner;
    const [ps, pb] = [arena.put(scale), arena.put(shift)];
    for (const centred of [true, false]) {
      normalizeF32(arena, {
        ...{ x: px, y, rows, n: reduce, epsilon: 1e-3, scale: ps, shift: pb, mean: centred },
      });
      for (let i = 0; i < rows; i++) {
        const v = [...x.subarray(i * reduce, (i + 1) * reduce)];
        const mean = centred ? sum(v) / reduce : 0;
        const root = Math.sqrt(sum(v.map((t) => (t - mean) ** 2)) / reduce + 1e-3);
        const want = v.map((t, k) => (t - mean) / root * scale[k]! + shift[k]!);
        const got = arena.f32(y + i * reduce * 4, reduce);
        for (let k = 0; k < reduce; k++) {
          assert.ok(
            Math.abs(got[k]! - want[k]!) < 1e-4,
            `seed ${seed} row ${i}: ${got[k]}, ${want[k]}`,
          );
        }
      }
    }
    arena.release(mark);
  }
});
