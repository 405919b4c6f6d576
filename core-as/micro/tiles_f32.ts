// Written by core-as/gen/micro.ts; do not edit.

export function f32Run(
  x: usize, xo: usize, yo: usize, n: i32, weights: usize, bias: usize,
  runs: i32, runOffsets: usize, steps: i32, y: usize, k: usize, channels: i32,
): void {
  let a: v128, u: v128, v: v128;
  for (let t: i32 = 0; t < n; t += 6) {
    const i0 = <usize>min<i32>(t + 0, n - 1) << 2, a0 = x + <usize>load<u32>(xo + i0);
    const i1 = <usize>min<i32>(t + 1, n - 1) << 2, a1 = x + <usize>load<u32>(xo + i1);
    const i2 = <usize>min<i32>(t + 2, n - 1) << 2, a2 = x + <usize>load<u32>(xo + i2);
    const i3 = <usize>min<i32>(t + 3, n - 1) << 2, a3 = x + <usize>load<u32>(xo + i3);
    const i4 = <usize>min<i32>(t + 4, n - 1) << 2, a4 = x + <usize>load<u32>(xo + i4);
    const i5 = <usize>min<i32>(t + 5, n - 1) << 2, a5 = x + <usize>load<u32>(xo + i5);

    let c00 = v128.load(bias), c01 = v128.load(bias, 16);
    let c10 = c00, c11 = c01, c20 = c00, c21 = c01, c30 = c00, c31 = c01, c40 = c00, c41 = c01, c50 = c00, c51 = c01;
    let w = weights;
    for (let r: i32 = 0; r < runs; r++) {
      const o = load<u32>(runOffsets + (<usize>r << 2));
      let p0 = a0 + o, p1 = a1 + o, p2 = a2 + o, p3 = a3 + o, p4 = a4 + o, p5 = a5 + o;
      let s = steps;
      for (; s >= 4; s -= 4) {
        u = v128.load(w, 0);
        v = v128.load(w, 16);
        a = v128.load32_splat(p0, 0);
        c00 = f32x4.relaxed_madd(a, u, c00);
        c01 = f32x4.relaxed_madd(a, v, c01);
        a = v128.load32_splat(p1, 0);
        c10 = f32x4.relaxed_madd(a, u, c10);
        c11 = f32x4.relaxed_madd(a, v, c11);
        a = v128.load32_splat(p2, 0);
        c20 = f32x4.relaxed_madd(a, u, c20);
        c21 = f32x4.relaxed_madd(a, v, c21);
        a = v128.load32_splat(p3, 0);
        c30 = f32x4.relaxed_madd(a, u, c30);
        c31 = f32x4.relaxed_madd(a, v, c31);
        a = v128.load32_splat(p4, 0);
        c40 = f32x4.relaxed_madd(a, u, c40);
        c41 = f32x4.relaxed_madd(a, v, c41);
        a = v128.load32_splat(p5, 0);
        c50 = f32x4.relaxed_madd(a, u, c50);
        c51 = f32x4.relaxed_madd(a, v, c51);
        u = v128.load(w, 32);
        v = v128.load(w, 48);
        a = v128.load32_splat(p0, 4);
        c00 = f32x4.relaxed_madd(a, u, c00);
        c01 = f32x4.relaxed_madd(a, v, c01);
        a = v128.load32_splat(p1, 4);
        c10 = f32x4.relaxed_madd(a, u, c10);
        c11 = f32x4.relaxed_madd(a, v, c11);
        a = v128.load32_splat(p2, 4);
        c20 = f32x4.relaxed_madd(a, u, c20);
        c21 = f32x4.relaxed_madd(a, v, c21);
        a = v128.load32_splat(p3, 4);
        c30 = f32x4.relaxed_madd(a, u, c30);
        c31 = f32x4.relaxed_madd(a, v, c31);
        a = v128.load32_splat(p4, 4);
        c40 = f32x4.relaxed_madd(a, u, c40);
        c41 = f32x4.relaxed_madd(a, v, c41);
        a = v128.load32_splat(p5, 4);
        c50 = f32x4.relaxed_madd(a, u, c50);
        c51 = f32x4.relaxed_madd(a, v, c51);
        u = v128.load(w, 64);
        v = v128.load(w, 80);
        a = v128.load32_splat(p0, 8);
        c00 = f32x4.relaxed_madd(a, u, c00);
        c01 = f32x4.relaxed_madd(a, v, c01);
        a = v128.load32_splat(p1, 8);
        c10 = f32x4.relaxed_madd(a, u, c10);
        c11 = f32x4.relaxed_madd(a, v, c11);
        a = v128.load32_splat(p2, 8);
        c20 = f32x4.relaxed_madd(a, u, c20);
        c21 = f32x4.relaxed_madd(a, v, c21);
        a = v128.load32_splat(p3, 8);
        c30 = f32x4.relaxed_madd(a, u, c30);
        c31 = f32x4.relaxed_madd(a, v, c31);
        a = v128.load32_splat(p4, 8);
        c40 = f32x4.relaxed_madd(a, u, c40);
        c41 = f32x4.relaxed_madd(a, v, c41);
        a = v128.load32_splat(p5, 8);
        c50 = f32x4.relaxed_madd(a, u, c50);
        c51 = f32x4.relaxed_madd(a, v, c51);
        u = v128.load(w, 96);
        v = v128.load(w, 112);
        a = v128.load32_splat(p0, 12);
        c00 = f32x4.relaxed_madd(a, u, c00);
        c01 = f32x4.relaxed_madd(a, v, c01);
        a = v128.load32_splat(p1, 12);
        c10 = f32x4.relaxed_madd(a, u, c10);
        c11 = f32x4.relaxed_madd(a, v, c11);
        a = v128.load32_splat(p2, 12);
        c20 = f32x4.relaxed_madd(a, u, c20);
        c21 = f32x4.relaxed_madd(a, v, c21);
        a = v128.load32_splat(p3, 12);
        c30 = f32x4.relaxed_madd(a, u, c30);
        c31 = f32x4.relaxed_madd(a, v, c31);
        a = v128.load32_splat(p4, 12);
        c40 = f32x4.relaxed_madd(a, u, c40);
        c41 = f32x4.relaxed_madd(a, v, c41);
        a = v128.load32_splat(p5, 12);
        c50 = f32x4.relaxed_madd(a, u, c50);
        c51 = f32x4.relaxed_madd(a, v, c51);
        p0 += 16;
        p1 += 16;
        p2 += 16;
        p3 += 16;
        p4 += 16;
        p5 += 16;
        w += 128;
      }
      for (; s > 0; s--) {
        u = v128.load(w, 0);
        v = v128.load(w, 16);
        a = v128.load32_splat(p0, 0);
        c00 = f32x4.relaxed_madd(a, u, c00);
        c01 = f32x4.relaxed_madd(a, v, c01);
        a = v128.load32_splat(p1, 0);
        c10 = f32x4.relaxed_madd(a, u, c10);
        c11 = f32x4.relaxed_madd(a, v, c11);
        a = v128.load32_splat(p2, 0);
        c20 = f32x4.relaxed_madd(a, u, c20);
        c21 = f32x4.relaxed_madd(a, v, c21);
        a = v128.load32_splat(p3, 0);
        c30 = f32x4.relaxed_madd(a, u, c30);
        c31 = f32x4.relaxed_madd(a, v, c31);
        a = v128.load32_splat(p4, 0);
        c40 = f32x4.relaxed_madd(a, u, c40);
        c41 = f32x4.relaxed_madd(a, v, c41);
        a = v128.load32_splat(p5, 0);
        c50 = f32x4.relaxed_madd(a, u, c50);
        c51 = f32x4.relaxed_madd(a, v, c51);
        p0 += 4;
        p1 += 4;
        p2 += 4;
        p3 += 4;
        p4 += 4;
        p5 += 4;
        w += 32;
      }
    }
    const lo = v128.load(k), hi = v128.load(k, 16);
    c00 = f32x4.pmin(f32x4.pmax(c00, lo), hi);
    c01 = f32x4.pmin(f32x4.pmax(c01, lo), hi);
    c10 = f32x4.pmin(f32x4.pmax(c10, lo), hi);
    c11 = f32x4.pmin(f32x4.pmax(c11, lo), hi);
    c20 = f32x4.pmin(f32x4.pmax(c20, lo), hi);
    c21 = f32x4.pmin(f32x4.pmax(c21, lo), hi);
    c30 = f32x4.pmin(f32x4.pmax(c30, lo), hi);
    c31 = f32x4.pmin(f32x4.pmax(c31, lo), hi);
    c40 = f32x4.pmin(f32x4.pmax(c40, lo), hi);
    c41 = f32x4.pmin(f32x4.pmax(c41, lo), hi);
    c50 = f32x4.pmin(f32x4.pmax(c50, lo), hi);
    c51 = f32x4.pmin(f32x4.pmax(c51, lo), hi);
    if (channels == 8) {
      const y0 = y + <usize>load<u32>(yo + i0);
      v128.store(y0, c00);
      v128.store(y0, c01, 16);
      const y1 = y + <usize>load<u32>(yo + i1);
      v128.store(y1, c10);
      v128.store(y1, c11, 16);
      const y2 = y + <usize>load<u32>(yo + i2);
      v128.store(y2, c20);
      v128.store(y2, c21, 16);
      const y3 = y + <usize>load<u32>(yo + i3);
      v128.store(y3, c30);
      v128.store(y3, c31, 16);
      const y4 = y + <usize>load<u32>(yo + i4);
      v128.store(y4, c40);
      v128.store(y4, c41, 16);
      const y5 = y + <usize>load<u32>(yo + i5);
      v128.store(y5, c50);
      v128.store(y5, c51, 16);
    } else {
      v128.store(k, c00, 128);
      v128.store(k, c01, 144);
      some(k + 128, y + <usize>load<u32>(yo + i0), channels);
      v128.store(k, c10, 128);
      v128.store(k, c11, 144);
      some(k + 128, y + <usize>load<u32>(yo + i1), channels);
      v128.store(k, c20, 128);
      v128.store(k, c21, 144);
      some(k + 128, y + <usize>load<u32>(yo + i2), channels);
      v128.store(k, c30, 128);
      v128.store(k, c31, 144);
      some(k + 128, y + <usize>load<u32>(yo + i3), channels);
      v128.store(k, c40, 128);
      v128.store(k, c41, 144);
      some(k + 128, y + <usize>load<u32>(yo + i4), channels);
      v128.store(k, c50, 128);
      v128.store(k, c51, 144);
      some(k + 128, y + <usize>load<u32>(yo + i5), channels);
    }
  }
}

// @ts-ignore: decorator
@inline
function some(from: usize, to: usize, channels: i32): void {
  for (let c: i32 = 0; c < channels; c++) store<f32>(to + (<usize>c << 2), load<f32>(from + (<usize>c << 2)));
}
