import assert from "node:assert/strict";
import { Arena } from "./arena.ts";
import { Random } from "./cases.ts";
import { convF32, matmulF32, packConvF32 } from "./conv_f32.ts";
import type { ConvShape } from "./conv_shape.ts";

function values(r: Random, n: number): Float32Array {
  return Float32Array.from({ length: n }, () => r.next() / 2 ** 31 - 1);
}

function direct(
  x: Float32Array,
  w: Float32Array,
  bias: Float32Array | null,
  s: ConvShape,
): number[] {
  const out: number[] = [], I = s.inC / s.group, O = s.outC / s.group;
  for (let n = 0; n < s.batch; n++) {
    for (let oy = 0; oy < s.outH; oy++) {
      for (let ox = 0; ox < s.outW; ox++) {
        for (let o = 0; o < s.outC; o++) {
          let sum = bias?.[o] ?? 0;
          for (let i = 0; i < I; i++) {
            for (let ky = 0; ky < s.kernelH; ky++) {
              for (let kx = 0; kx < s.kernelW; kx++) {
                const iy = oy * s.strideH - s.padTop + ky * s.dilationH;
                const ix = ox * s.strideW - s.padLeft + kx * s.dilationW;
                if (iy < 0 || iy >= s.inH || ix < 0 || ix >= s.inW) continue;
                sum += x[((n * s.inH + iy) * s.inW + ix) * s.inC + Math.floor(o / O) * I + i]! *
                  w[((o * I + i) * s.kernelH + ky) * s.kernelW + kx]!;
              }
            }
          }
          out.push(sum);
        }
      }
    }
  }
  return out;
}

Deno.test("float convolution agrees with a direct sum within rounding", () => {
  const arena = Arena.create();
  for (let seed = 1; seed <= 400; seed++) {
    const r = new Random(seed), depthwise = r.chance(0.3);
    const group = depthwise ? r.int(1, 30) : r.chance(0.8) ? 1 : r.int(2, 3);
    const inC = depthwise ? group : group * r.int(1, 12),
      outC = depthwise ? group : group * r.int(1, 20);
    const kernelH = r.int(1, 4),
      kernelW = r.int(1, 4),
      dilationH = r.int(1, 2),
      dilationW = r.int(1, 2);
    const strideH = r.int(1, 3), strideW = r.int(1, 3), padTop = r.int(0, 2), padLeft = r.int(0, 2);
    const inH = r.int(1, 9) + (kernelH - 1) * dilationH,
      inW = r.int(1, 9) + (kernelW - 1) * dilationW;
    // deno-fmt-ignore
    const shape: ConvShape = {
      batch: r.int(1, 2), inH, inW, inC, outC, group, kernelH, kernelW, strideH, strideW, padTop, padLeft,
      padBottom: 0, padRight: 0, dilationH, dilationW,
      outH: Math.floor((inH + padTop - (kernelH - 1) * dilationH - 1) / strideH) + 1,
      outW: Math.floor((inW + padLeft - (kernelW - 1) * dilationW - 1) / strideW) + 1,
    };
    const x = values(r, shape.batch * inH * inW * inC);
    const w = values(r, outC * inC / group * kernelH * kernelW);
    const bias = r.chance(0.7) ? values(r, outC) : null;
    const clip = r.chance(0.3) ? { min: 0, max: 0.6 } : {};
    const mark = arena.mark();
    const packed = packConvF32(arena, w, shape);
    const px = arena.put(x), pb = bias === null ? 0 : arena.put(bias);
    const want = direct(x, w, bias, shape),
      y = arena.alloc(want.length * 4),
      guard = arena.alloc(64);
    arena.u8(guard, 64).fill(7);
    convF32(arena, { x: px, y, packed, bias: pb, shape, ...clip });
    const got = arena.f32(y, want.length);
    for (let i = 0; i < want.length; i++) {
      const v = "min" in clip ? Math.min(0.6, Math.max(0, want[i]!)) : want[i]!;
      assert.ok(Math.abs(got[i]! - v) < 1e-4, `seed ${seed} element ${i}: ${got[i]} for ${v}`);
    }
    assert.ok(arena.u8(guard, 64).every((v) => v === 7), `seed ${seed} wrote behind its output`);
    arena.release(mark);
  }
});

Deno.test("float matrix product", () => {
  const arena = Arena.create();
  for (let seed = 1; seed <= 50; seed++) {
    const r = new Random(seed),
      batch = r.int(1, 3),
      M = r.int(1, 15),
      K = r.int(1, 40),
      N = r.int(1, 20);
    const a = values(r, batch * M * K), b = values(r, batch * K * N), mark = arena.mark();
    const y = arena.alloc(batch * M * N * 4);
    matmulF32(arena, { a: arena.put(a), b: arena.put(b), y, batch, M, K, N });
    const got = arena.f32(y, batch * M * N);
    for (let i = 0; i < got.length; i++) {
      const n = Math.floor(i / (M * N)), row = Math.floor(i / N) % M, col = i % N;
      let sum = 0;
      for (let k = 0; k < K; k++) sum += a[(n * M + row) * K + k]! * b[(n * K + k) * N + col]!;
      assert.ok(Math.abs(got[i]! - sum) < 1e-4);
    }
    arena.release(mark);
  }
});
