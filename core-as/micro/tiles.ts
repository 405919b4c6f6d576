// Written by core-as/gen/micro.ts; do not edit.

import { fused, rounded } from "./requant";
import { finishTile } from "./finish";

// Pixels at x + xo[i] for i < n; results to y + yo[i]; with steps (dx is not 0, n is at least 4) at x + i dx and
// y + yo[0] + i dy, where the last tile overlaps the one before. mode: 0 and 4 int8, 1 int16, 2 int32 output; 3 any, through finishTile.
export function d16Run(
  x: usize, xo: usize, yo: usize, dx: usize, dy: usize, n: i32, weights: usize, bias: usize, mul: usize,
  runs: i32, runOffsets: usize, steps: i32, y: usize, k: usize, mode: i32, channels: i32, finish: usize,
): void {
  
  const start = y + <usize>load<u32>(yo);
  let a: v128, u: v128, v: v128;
  for (let t: i32 = 0; t < n; t += 4) {
    const i1 = min<i32>(t + 1, n - 1), i2 = min<i32>(t + 2, n - 1), i3 = min<i32>(t + 3, n - 1);
    let a0: usize, a1: usize, a2: usize, a3: usize;
    if (dx) {
      a0 = x + <usize>min<i32>(t, n - 4) * dx;
      a1 = a0 + dx;
      a2 = a1 + dx;
      a3 = a2 + dx;
    } else {
      a0 = x + <usize>load<u32>(xo + (<usize>t << 2));
      a1 = x + <usize>load<u32>(xo + (<usize>i1 << 2));
      a2 = x + <usize>load<u32>(xo + (<usize>i2 << 2));
      a3 = x + <usize>load<u32>(xo + (<usize>i3 << 2));
    }

    let c00 = v128.load(bias), c01 = v128.load(bias, 16);
    let c10 = c00, c11 = c01, c20 = c00, c21 = c01, c30 = c00, c31 = c01;
    let w = weights;
    for (let r: i32 = 0; r < runs; r++) {
      const o = load<u32>(runOffsets + (<usize>r << 2));
      let p0 = a0 + o, p1 = a1 + o, p2 = a2 + o, p3 = a3 + o;
      let s = steps;
      for (; s >= 4; s -= 4) {
      u = v128.load(w, 0);
      v = v128.load(w, 16);
      a = v128.load32_splat(p0, 0);
      c00 = i32x4.add(c00, i32x4.dot_i16x8_s(u, a));
      c01 = i32x4.add(c01, i32x4.dot_i16x8_s(v, a));
      a = v128.load32_splat(p1, 0);
      c10 = i32x4.add(c10, i32x4.dot_i16x8_s(u, a));
      c11 = i32x4.add(c11, i32x4.dot_i16x8_s(v, a));
      a = v128.load32_splat(p2, 0);
      c20 = i32x4.add(c20, i32x4.dot_i16x8_s(u, a));
      c21 = i32x4.add(c21, i32x4.dot_i16x8_s(v, a));
      a = v128.load32_splat(p3, 0);
      c30 = i32x4.add(c30, i32x4.dot_i16x8_s(u, a));
      c31 = i32x4.add(c31, i32x4.dot_i16x8_s(v, a));
      u = v128.load(w, 32);
      v = v128.load(w, 48);
      a = v128.load32_splat(p0, 4);
      c00 = i32x4.add(c00, i32x4.dot_i16x8_s(u, a));
      c01 = i32x4.add(c01, i32x4.dot_i16x8_s(v, a));
      a = v128.load32_splat(p1, 4);
      c10 = i32x4.add(c10, i32x4.dot_i16x8_s(u, a));
      c11 = i32x4.add(c11, i32x4.dot_i16x8_s(v, a));
      a = v128.load32_splat(p2, 4);
      c20 = i32x4.add(c20, i32x4.dot_i16x8_s(u, a));
      c21 = i32x4.add(c21, i32x4.dot_i16x8_s(v, a));
      a = v128.load32_splat(p3, 4);
      c30 = i32x4.add(c30, i32x4.dot_i16x8_s(u, a));
      c31 = i32x4.add(c31, i32x4.dot_i16x8_s(v, a));
      u = v128.load(w, 64);
      v = v128.load(w, 80);
      a = v128.load32_splat(p0, 8);
      c00 = i32x4.add(c00, i32x4.dot_i16x8_s(u, a));
      c01 = i32x4.add(c01, i32x4.dot_i16x8_s(v, a));
      a = v128.load32_splat(p1, 8);
      c10 = i32x4.add(c10, i32x4.dot_i16x8_s(u, a));
      c11 = i32x4.add(c11, i32x4.dot_i16x8_s(v, a));
      a = v128.load32_splat(p2, 8);
      c20 = i32x4.add(c20, i32x4.dot_i16x8_s(u, a));
      c21 = i32x4.add(c21, i32x4.dot_i16x8_s(v, a));
      a = v128.load32_splat(p3, 8);
      c30 = i32x4.add(c30, i32x4.dot_i16x8_s(u, a));
      c31 = i32x4.add(c31, i32x4.dot_i16x8_s(v, a));
      u = v128.load(w, 96);
      v = v128.load(w, 112);
      a = v128.load32_splat(p0, 12);
      c00 = i32x4.add(c00, i32x4.dot_i16x8_s(u, a));
      c01 = i32x4.add(c01, i32x4.dot_i16x8_s(v, a));
      a = v128.load32_splat(p1, 12);
      c10 = i32x4.add(c10, i32x4.dot_i16x8_s(u, a));
      c11 = i32x4.add(c11, i32x4.dot_i16x8_s(v, a));
      a = v128.load32_splat(p2, 12);
      c20 = i32x4.add(c20, i32x4.dot_i16x8_s(u, a));
      c21 = i32x4.add(c21, i32x4.dot_i16x8_s(v, a));
      a = v128.load32_splat(p3, 12);
      c30 = i32x4.add(c30, i32x4.dot_i16x8_s(u, a));
      c31 = i32x4.add(c31, i32x4.dot_i16x8_s(v, a));

        p0 += 16;
        p1 += 16;
        p2 += 16;
        p3 += 16;
        w += 128;
      }
      for (; s > 0; s--) {
      u = v128.load(w, 0);
      v = v128.load(w, 16);
      a = v128.load32_splat(p0, 0);
      c00 = i32x4.add(c00, i32x4.dot_i16x8_s(u, a));
      c01 = i32x4.add(c01, i32x4.dot_i16x8_s(v, a));
      a = v128.load32_splat(p1, 0);
      c10 = i32x4.add(c10, i32x4.dot_i16x8_s(u, a));
      c11 = i32x4.add(c11, i32x4.dot_i16x8_s(v, a));
      a = v128.load32_splat(p2, 0);
      c20 = i32x4.add(c20, i32x4.dot_i16x8_s(u, a));
      c21 = i32x4.add(c21, i32x4.dot_i16x8_s(v, a));
      a = v128.load32_splat(p3, 0);
      c30 = i32x4.add(c30, i32x4.dot_i16x8_s(u, a));
      c31 = i32x4.add(c31, i32x4.dot_i16x8_s(v, a));

        p0 += 4;
        p1 += 4;
        p2 += 4;
        p3 += 4;
        w += 32;
      }
    }
    if (mode == 3) {
      v128.store(k, c00, 128);
      v128.store(k, c01, 144);
      v128.store(k, c10, 160);
      v128.store(k, c11, 176);
      v128.store(k, c20, 192);
      v128.store(k, c21, 208);
      v128.store(k, c30, 224);
      v128.store(k, c31, 240);

      const first = dx ? min<i32>(t, n - 4) : t;
      finishTile(k + 128, yo + (<usize>first << 2), min<i32>(4, n - first), channels, 32, y, finish);
      continue;
    }
    let y0: usize, y1: usize, y2: usize, y3: usize;
    if (dx) {
      y0 = start + <usize>min<i32>(t, n - 4) * dy;
      y1 = y0 + dy;
      y2 = y1 + dy;
      y3 = y2 + dy;
    } else {
      y0 = y + <usize>load<u32>(yo + (<usize>t << 2));
      y1 = y + <usize>load<u32>(yo + (<usize>i1 << 2));
      y2 = y + <usize>load<u32>(yo + (<usize>i2 << 2));
      y3 = y + <usize>load<u32>(yo + (<usize>i3 << 2));
    }
    if (mode == 4) {
      const m0 = v128.load(mul), m1 = v128.load(mul, 16), r = v128.load(k, 448), z = v128.load(k, 464);
      const lo = v128.load(k, 32), hi = v128.load(k, 48);
      c00 = i16x8.narrow_i32x4_s(rounded(c00, m0, r, z), rounded(c01, m1, r, z));
      c10 = i16x8.narrow_i32x4_s(rounded(c10, m0, r, z), rounded(c11, m1, r, z));
      c20 = i16x8.narrow_i32x4_s(rounded(c20, m0, r, z), rounded(c21, m1, r, z));
      c30 = i16x8.narrow_i32x4_s(rounded(c30, m0, r, z), rounded(c31, m1, r, z));

      c00 = i8x16.min_s(i8x16.max_s(i8x16.narrow_i16x8_s(c00, c10), lo), hi);
      c20 = i8x16.min_s(i8x16.max_s(i8x16.narrow_i16x8_s(c20, c30), lo), hi);
      v128.store64_lane(y0, c00, 0);
      v128.store64_lane(y1, c00, 1);
      v128.store64_lane(y2, c20, 0);
      v128.store64_lane(y3, c20, 1);
      continue;
    }
    if (mode == 2) {
      const lo = v128.load(k, 96), hi = v128.load(k, 112);
      v128.store(y0, i32x4.min_s(i32x4.max_s(c00, lo), hi), 0);
      v128.store(y0, i32x4.min_s(i32x4.max_s(c01, lo), hi), 16);
      v128.store(y1, i32x4.min_s(i32x4.max_s(c10, lo), hi), 0);
      v128.store(y1, i32x4.min_s(i32x4.max_s(c11, lo), hi), 16);
      v128.store(y2, i32x4.min_s(i32x4.max_s(c20, lo), hi), 0);
      v128.store(y2, i32x4.min_s(i32x4.max_s(c21, lo), hi), 16);
      v128.store(y3, i32x4.min_s(i32x4.max_s(c30, lo), hi), 0);
      v128.store(y3, i32x4.min_s(i32x4.max_s(c31, lo), hi), 16);

      continue;
    }
    const m0 = v128.load(mul), m1 = v128.load(mul, 16), r = v128.load(k), z = v128.load(k, 16);
    c00 = i16x8.add_sat_s(i16x8.narrow_i32x4_s(fused(c00, m0, r), fused(c01, m1, r)), z);
    c10 = i16x8.add_sat_s(i16x8.narrow_i32x4_s(fused(c10, m0, r), fused(c11, m1, r)), z);
    c20 = i16x8.add_sat_s(i16x8.narrow_i32x4_s(fused(c20, m0, r), fused(c21, m1, r)), z);
    c30 = i16x8.add_sat_s(i16x8.narrow_i32x4_s(fused(c30, m0, r), fused(c31, m1, r)), z);

    if (mode == 0) {
      const lo = v128.load(k, 32), hi = v128.load(k, 48);
      c00 = i8x16.min_s(i8x16.max_s(i8x16.narrow_i16x8_s(c00, c10), lo), hi);
      c20 = i8x16.min_s(i8x16.max_s(i8x16.narrow_i16x8_s(c20, c30), lo), hi);
      v128.store64_lane(y0, c00, 0);
      v128.store64_lane(y1, c00, 1);
      v128.store64_lane(y2, c20, 0);
      v128.store64_lane(y3, c20, 1);
    } else {
      const lo = v128.load(k, 64), hi = v128.load(k, 80);
      v128.store(y0, i16x8.min_s(i16x8.max_s(c00, lo), hi));
      v128.store(y1, i16x8.min_s(i16x8.max_s(c10, lo), hi));
      v128.store(y2, i16x8.min_s(i16x8.max_s(c20, lo), hi));
      v128.store(y3, i16x8.min_s(i16x8.max_s(c30, lo), hi));

    }
  }
}

// The accumulators of one tile, [4][8] int32 at `out`.
export function d16Raw(
  a0: usize, a1: usize, a2: usize, a3: usize, weights: usize, bias: usize,
  runs: i32, runOffsets: usize, steps: i32, out: usize,
): void {
  
  let a: v128, u: v128, v: v128;

    let c00 = v128.load(bias), c01 = v128.load(bias, 16);
    let c10 = c00, c11 = c01, c20 = c00, c21 = c01, c30 = c00, c31 = c01;
    let w = weights;
    for (let r: i32 = 0; r < runs; r++) {
      const o = load<u32>(runOffsets + (<usize>r << 2));
      let p0 = a0 + o, p1 = a1 + o, p2 = a2 + o, p3 = a3 + o;
      let s = steps;
      for (; s >= 4; s -= 4) {
      u = v128.load(w, 0);
      v = v128.load(w, 16);
      a = v128.load32_splat(p0, 0);
      c00 = i32x4.add(c00, i32x4.dot_i16x8_s(u, a));
      c01 = i32x4.add(c01, i32x4.dot_i16x8_s(v, a));
      a = v128.load32_splat(p1, 0);
      c10 = i32x4.add(c10, i32x4.dot_i16x8_s(u, a));
      c11 = i32x4.add(c11, i32x4.dot_i16x8_s(v, a));
      a = v128.load32_splat(p2, 0);
      c20 = i32x4.add(c20, i32x4.dot_i16x8_s(u, a));
      c21 = i32x4.add(c21, i32x4.dot_i16x8_s(v, a));
      a = v128.load32_splat(p3, 0);
      c30 = i32x4.add(c30, i32x4.dot_i16x8_s(u, a));
      c31 = i32x4.add(c31, i32x4.dot_i16x8_s(v, a));
      u = v128.load(w, 32);
      v = v128.load(w, 48);
      a = v128.load32_splat(p0, 4);
      c00 = i32x4.add(c00, i32x4.dot_i16x8_s(u, a));
      c01 = i32x4.add(c01, i32x4.dot_i16x8_s(v, a));
      a = v128.load32_splat(p1, 4);
      c10 = i32x4.add(c10, i32x4.dot_i16x8_s(u, a));
      c11 = i32x4.add(c11, i32x4.dot_i16x8_s(v, a));
      a = v128.load32_splat(p2, 4);
      c20 = i32x4.add(c20, i32x4.dot_i16x8_s(u, a));
      c21 = i32x4.add(c21, i32x4.dot_i16x8_s(v, a));
      a = v128.load32_splat(p3, 4);
      c30 = i32x4.add(c30, i32x4.dot_i16x8_s(u, a));
      c31 = i32x4.add(c31, i32x4.dot_i16x8_s(v, a));
      u = v128.load(w, 64);
      v = v128.load(w, 80);
      a = v128.load32_splat(p0, 8);
      c00 = i32x4.add(c00, i32x4.dot_i16x8_s(u, a));
      c01 = i32x4.add(c01, i32x4.dot_i16x8_s(v, a));
      a = v128.load32_splat(p1, 8);
      c10 = i32x4.add(c10, i32x4.dot_i16x8_s(u, a));
      c11 = i32x4.add(c11, i32x4.dot_i16x8_s(v, a));
      a = v128.load32_splat(p2, 8);
      c20 = i32x4.add(c20, i32x4.dot_i16x8_s(u, a));
      c21 = i32x4.add(c21, i32x4.dot_i16x8_s(v, a));
      a = v128.load32_splat(p3, 8);
      c30 = i32x4.add(c30, i32x4.dot_i16x8_s(u, a));
      c31 = i32x4.add(c31, i32x4.dot_i16x8_s(v, a));
      u = v128.load(w, 96);
      v = v128.load(w, 112);
      a = v128.load32_splat(p0, 12);
      c00 = i32x4.add(c00, i32x4.dot_i16x8_s(u, a));
      c01 = i32x4.add(c01, i32x4.dot_i16x8_s(v, a));
      a = v128.load32_splat(p1, 12);
      c10 = i32x4.add(c10, i32x4.dot_i16x8_s(u, a));
      c11 = i32x4.add(c11, i32x4.dot_i16x8_s(v, a));
      a = v128.load32_splat(p2, 12);
      c20 = i32x4.add(c20, i32x4.dot_i16x8_s(u, a));
      c21 = i32x4.add(c21, i32x4.dot_i16x8_s(v, a));
      a = v128.load32_splat(p3, 12);
      c30 = i32x4.add(c30, i32x4.dot_i16x8_s(u, a));
      c31 = i32x4.add(c31, i32x4.dot_i16x8_s(v, a));

        p0 += 16;
        p1 += 16;
        p2 += 16;
        p3 += 16;
        w += 128;
      }
      for (; s > 0; s--) {
      u = v128.load(w, 0);
      v = v128.load(w, 16);
      a = v128.load32_splat(p0, 0);
      c00 = i32x4.add(c00, i32x4.dot_i16x8_s(u, a));
      c01 = i32x4.add(c01, i32x4.dot_i16x8_s(v, a));
      a = v128.load32_splat(p1, 0);
      c10 = i32x4.add(c10, i32x4.dot_i16x8_s(u, a));
      c11 = i32x4.add(c11, i32x4.dot_i16x8_s(v, a));
      a = v128.load32_splat(p2, 0);
      c20 = i32x4.add(c20, i32x4.dot_i16x8_s(u, a));
      c21 = i32x4.add(c21, i32x4.dot_i16x8_s(v, a));
      a = v128.load32_splat(p3, 0);
      c30 = i32x4.add(c30, i32x4.dot_i16x8_s(u, a));
      c31 = i32x4.add(c31, i32x4.dot_i16x8_s(v, a));

        p0 += 4;
        p1 += 4;
        p2 += 4;
        p3 += 4;
        w += 32;
      }
    }
  v128.store(out, c00, 0);
  v128.store(out, c01, 16);
  v128.store(out, c10, 32);
  v128.store(out, c11, 48);
  v128.store(out, c20, 64);
  v128.store(out, c21, 80);
  v128.store(out, c30, 96);
  v128.store(out, c31, 112);
}


// Pixels at x + xo[i] for i < n; results to y + yo[i]; with steps (dx is not 0, n is at least 4) at x + i dx and
// y + yo[0] + i dy, where the last tile overlaps the one before. mode: 0 and 4 int8, 1 int16, 2 int32 output; 3 any, through finishTile.
export function rd8Run(
  x: usize, xo: usize, yo: usize, dx: usize, dy: usize, n: i32, weights: usize, bias: usize, mul: usize,
  runs: i32, runOffsets: usize, steps: i32, y: usize, k: usize, mode: i32, channels: i32, finish: usize,
): void {
  const ones = v128.load(256);
  const start = y + <usize>load<u32>(yo);
  let a: v128, u: v128, v: v128;
  for (let t: i32 = 0; t < n; t += 4) {
    const i1 = min<i32>(t + 1, n - 1), i2 = min<i32>(t + 2, n - 1), i3 = min<i32>(t + 3, n - 1);
    let a0: usize, a1: usize, a2: usize, a3: usize;
    if (dx) {
      a0 = x + <usize>min<i32>(t, n - 4) * dx;
      a1 = a0 + dx;
      a2 = a1 + dx;
      a3 = a2 + dx;
    } else {
      a0 = x + <usize>load<u32>(xo + (<usize>t << 2));
      a1 = x + <usize>load<u32>(xo + (<usize>i1 << 2));
      a2 = x + <usize>load<u32>(xo + (<usize>i2 << 2));
      a3 = x + <usize>load<u32>(xo + (<usize>i3 << 2));
    }

    let c00 = v128.load(bias), c01 = v128.load(bias, 16);
    let c10 = c00, c11 = c01, c20 = c00, c21 = c01, c30 = c00, c31 = c01;
    let w = weights;
    for (let r: i32 = 0; r < runs; r++) {
      const o = load<u32>(runOffsets + (<usize>r << 2));
      let p0 = a0 + o, p1 = a1 + o, p2 = a2 + o, p3 = a3 + o;
      let s = steps;
      for (; s >= 4; s -= 4) {
      u = v128.load(w, 0);
      v = v128.load(w, 16);
      a = v128.load32_splat(p0, 0);
      c00 = i32x4.add(c00, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(u, a), ones));
      c01 = i32x4.add(c01, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(v, a), ones));
      a = v128.load32_splat(p1, 0);
      c10 = i32x4.add(c10, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(u, a), ones));
      c11 = i32x4.add(c11, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(v, a), ones));
      a = v128.load32_splat(p2, 0);
      c20 = i32x4.add(c20, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(u, a), ones));
      c21 = i32x4.add(c21, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(v, a), ones));
      a = v128.load32_splat(p3, 0);
      c30 = i32x4.add(c30, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(u, a), ones));
      c31 = i32x4.add(c31, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(v, a), ones));
      u = v128.load(w, 32);
      v = v128.load(w, 48);
      a = v128.load32_splat(p0, 4);
      c00 = i32x4.add(c00, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(u, a), ones));
      c01 = i32x4.add(c01, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(v, a), ones));
      a = v128.load32_splat(p1, 4);
      c10 = i32x4.add(c10, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(u, a), ones));
      c11 = i32x4.add(c11, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(v, a), ones));
      a = v128.load32_splat(p2, 4);
      c20 = i32x4.add(c20, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(u, a), ones));
      c21 = i32x4.add(c21, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(v, a), ones));
      a = v128.load32_splat(p3, 4);
      c30 = i32x4.add(c30, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(u, a), ones));
      c31 = i32x4.add(c31, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(v, a), ones));
      u = v128.load(w, 64);
      v = v128.load(w, 80);
      a = v128.load32_splat(p0, 8);
      c00 = i32x4.add(c00, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(u, a), ones));
      c01 = i32x4.add(c01, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(v, a), ones));
      a = v128.load32_splat(p1, 8);
      c10 = i32x4.add(c10, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(u, a), ones));
      c11 = i32x4.add(c11, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(v, a), ones));
      a = v128.load32_splat(p2, 8);
      c20 = i32x4.add(c20, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(u, a), ones));
      c21 = i32x4.add(c21, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(v, a), ones));
      a = v128.load32_splat(p3, 8);
      c30 = i32x4.add(c30, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(u, a), ones));
      c31 = i32x4.add(c31, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(v, a), ones));
      u = v128.load(w, 96);
      v = v128.load(w, 112);
      a = v128.load32_splat(p0, 12);
      c00 = i32x4.add(c00, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(u, a), ones));
      c01 = i32x4.add(c01, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(v, a), ones));
      a = v128.load32_splat(p1, 12);
      c10 = i32x4.add(c10, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(u, a), ones));
      c11 = i32x4.add(c11, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(v, a), ones));
      a = v128.load32_splat(p2, 12);
      c20 = i32x4.add(c20, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(u, a), ones));
      c21 = i32x4.add(c21, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(v, a), ones));
      a = v128.load32_splat(p3, 12);
      c30 = i32x4.add(c30, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(u, a), ones));
      c31 = i32x4.add(c31, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(v, a), ones));

        p0 += 16;
        p1 += 16;
        p2 += 16;
        p3 += 16;
        w += 128;
      }
      for (; s > 0; s--) {
      u = v128.load(w, 0);
      v = v128.load(w, 16);
      a = v128.load32_splat(p0, 0);
      c00 = i32x4.add(c00, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(u, a), ones));
      c01 = i32x4.add(c01, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(v, a), ones));
      a = v128.load32_splat(p1, 0);
      c10 = i32x4.add(c10, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(u, a), ones));
      c11 = i32x4.add(c11, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(v, a), ones));
      a = v128.load32_splat(p2, 0);
      c20 = i32x4.add(c20, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(u, a), ones));
      c21 = i32x4.add(c21, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(v, a), ones));
      a = v128.load32_splat(p3, 0);
      c30 = i32x4.add(c30, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(u, a), ones));
      c31 = i32x4.add(c31, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(v, a), ones));

        p0 += 4;
        p1 += 4;
        p2 += 4;
        p3 += 4;
        w += 32;
      }
    }
    if (mode == 3) {
      v128.store(k, c00, 128);
      v128.store(k, c01, 144);
      v128.store(k, c10, 160);
      v128.store(k, c11, 176);
      v128.store(k, c20, 192);
      v128.store(k, c21, 208);
      v128.store(k, c30, 224);
      v128.store(k, c31, 240);

      const first = dx ? min<i32>(t, n - 4) : t;
      finishTile(k + 128, yo + (<usize>first << 2), min<i32>(4, n - first), channels, 32, y, finish);
      continue;
    }
    let y0: usize, y1: usize, y2: usize, y3: usize;
    if (dx) {
      y0 = start + <usize>min<i32>(t, n - 4) * dy;
      y1 = y0 + dy;
      y2 = y1 + dy;
      y3 = y2 + dy;
    } else {
      y0 = y + <usize>load<u32>(yo + (<usize>t << 2));
      y1 = y + <usize>load<u32>(yo + (<usize>i1 << 2));
      y2 = y + <usize>load<u32>(yo + (<usize>i2 << 2));
      y3 = y + <usize>load<u32>(yo + (<usize>i3 << 2));
    }
    if (mode == 4) {
      const m0 = v128.load(mul), m1 = v128.load(mul, 16), r = v128.load(k, 448), z = v128.load(k, 464);
      const lo = v128.load(k, 32), hi = v128.load(k, 48);
      c00 = i16x8.narrow_i32x4_s(rounded(c00, m0, r, z), rounded(c01, m1, r, z));
      c10 = i16x8.narrow_i32x4_s(rounded(c10, m0, r, z), rounded(c11, m1, r, z));
      c20 = i16x8.narrow_i32x4_s(rounded(c20, m0, r, z), rounded(c21, m1, r, z));
      c30 = i16x8.narrow_i32x4_s(rounded(c30, m0, r, z), rounded(c31, m1, r, z));

      c00 = i8x16.min_s(i8x16.max_s(i8x16.narrow_i16x8_s(c00, c10), lo), hi);
      c20 = i8x16.min_s(i8x16.max_s(i8x16.narrow_i16x8_s(c20, c30), lo), hi);
      v128.store64_lane(y0, c00, 0);
      v128.store64_lane(y1, c00, 1);
      v128.store64_lane(y2, c20, 0);
      v128.store64_lane(y3, c20, 1);
      continue;
    }
    if (mode == 2) {
      const lo = v128.load(k, 96), hi = v128.load(k, 112);
      v128.store(y0, i32x4.min_s(i32x4.max_s(c00, lo), hi), 0);
      v128.store(y0, i32x4.min_s(i32x4.max_s(c01, lo), hi), 16);
      v128.store(y1, i32x4.min_s(i32x4.max_s(c10, lo), hi), 0);
      v128.store(y1, i32x4.min_s(i32x4.max_s(c11, lo), hi), 16);
      v128.store(y2, i32x4.min_s(i32x4.max_s(c20, lo), hi), 0);
      v128.store(y2, i32x4.min_s(i32x4.max_s(c21, lo), hi), 16);
      v128.store(y3, i32x4.min_s(i32x4.max_s(c30, lo), hi), 0);
      v128.store(y3, i32x4.min_s(i32x4.max_s(c31, lo), hi), 16);

      continue;
    }
    const m0 = v128.load(mul), m1 = v128.load(mul, 16), r = v128.load(k), z = v128.load(k, 16);
    c00 = i16x8.add_sat_s(i16x8.narrow_i32x4_s(fused(c00, m0, r), fused(c01, m1, r)), z);
    c10 = i16x8.add_sat_s(i16x8.narrow_i32x4_s(fused(c10, m0, r), fused(c11, m1, r)), z);
    c20 = i16x8.add_sat_s(i16x8.narrow_i32x4_s(fused(c20, m0, r), fused(c21, m1, r)), z);
    c30 = i16x8.add_sat_s(i16x8.narrow_i32x4_s(fused(c30, m0, r), fused(c31, m1, r)), z);

    if (mode == 0) {
      const lo = v128.load(k, 32), hi = v128.load(k, 48);
      c00 = i8x16.min_s(i8x16.max_s(i8x16.narrow_i16x8_s(c00, c10), lo), hi);
      c20 = i8x16.min_s(i8x16.max_s(i8x16.narrow_i16x8_s(c20, c30), lo), hi);
      v128.store64_lane(y0, c00, 0);
      v128.store64_lane(y1, c00, 1);
      v128.store64_lane(y2, c20, 0);
      v128.store64_lane(y3, c20, 1);
    } else {
      const lo = v128.load(k, 64), hi = v128.load(k, 80);
      v128.store(y0, i16x8.min_s(i16x8.max_s(c00, lo), hi));
      v128.store(y1, i16x8.min_s(i16x8.max_s(c10, lo), hi));
      v128.store(y2, i16x8.min_s(i16x8.max_s(c20, lo), hi));
      v128.store(y3, i16x8.min_s(i16x8.max_s(c30, lo), hi));

    }
  }
}

// The accumulators of one tile, [4][8] int32 at `out`.
export function rd8Raw(
  a0: usize, a1: usize, a2: usize, a3: usize, weights: usize, bias: usize,
  runs: i32, runOffsets: usize, steps: i32, out: usize,
): void {
  const ones = v128.load(256);
  let a: v128, u: v128, v: v128;

    let c00 = v128.load(bias), c01 = v128.load(bias, 16);
    let c10 = c00, c11 = c01, c20 = c00, c21 = c01, c30 = c00, c31 = c01;
    let w = weights;
    for (let r: i32 = 0; r < runs; r++) {
      const o = load<u32>(runOffsets + (<usize>r << 2));
      let p0 = a0 + o, p1 = a1 + o, p2 = a2 + o, p3 = a3 + o;
      let s = steps;
      for (; s >= 4; s -= 4) {
      u = v128.load(w, 0);
      v = v128.load(w, 16);
      a = v128.load32_splat(p0, 0);
      c00 = i32x4.add(c00, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(u, a), ones));
      c01 = i32x4.add(c01, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(v, a), ones));
      a = v128.load32_splat(p1, 0);
      c10 = i32x4.add(c10, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(u, a), ones));
      c11 = i32x4.add(c11, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(v, a), ones));
      a = v128.load32_splat(p2, 0);
      c20 = i32x4.add(c20, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(u, a), ones));
      c21 = i32x4.add(c21, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(v, a), ones));
      a = v128.load32_splat(p3, 0);
      c30 = i32x4.add(c30, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(u, a), ones));
      c31 = i32x4.add(c31, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(v, a), ones));
      u = v128.load(w, 32);
      v = v128.load(w, 48);
      a = v128.load32_splat(p0, 4);
      c00 = i32x4.add(c00, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(u, a), ones));
      c01 = i32x4.add(c01, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(v, a), ones));
      a = v128.load32_splat(p1, 4);
      c10 = i32x4.add(c10, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(u, a), ones));
      c11 = i32x4.add(c11, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(v, a), ones));
      a = v128.load32_splat(p2, 4);
      c20 = i32x4.add(c20, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(u, a), ones));
      c21 = i32x4.add(c21, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(v, a), ones));
      a = v128.load32_splat(p3, 4);
      c30 = i32x4.add(c30, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(u, a), ones));
      c31 = i32x4.add(c31, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(v, a), ones));
      u = v128.load(w, 64);
      v = v128.load(w, 80);
      a = v128.load32_splat(p0, 8);
      c00 = i32x4.add(c00, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(u, a), ones));
      c01 = i32x4.add(c01, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(v, a), ones));
      a = v128.load32_splat(p1, 8);
      c10 = i32x4.add(c10, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(u, a), ones));
      c11 = i32x4.add(c11, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(v, a), ones));
      a = v128.load32_splat(p2, 8);
      c20 = i32x4.add(c20, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(u, a), ones));
      c21 = i32x4.add(c21, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(v, a), ones));
      a = v128.load32_splat(p3, 8);
      c30 = i32x4.add(c30, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(u, a), ones));
      c31 = i32x4.add(c31, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(v, a), ones));
      u = v128.load(w, 96);
      v = v128.load(w, 112);
      a = v128.load32_splat(p0, 12);
      c00 = i32x4.add(c00, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(u, a), ones));
      c01 = i32x4.add(c01, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(v, a), ones));
      a = v128.load32_splat(p1, 12);
      c10 = i32x4.add(c10, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(u, a), ones));
      c11 = i32x4.add(c11, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(v, a), ones));
      a = v128.load32_splat(p2, 12);
      c20 = i32x4.add(c20, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(u, a), ones));
      c21 = i32x4.add(c21, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(v, a), ones));
      a = v128.load32_splat(p3, 12);
      c30 = i32x4.add(c30, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(u, a), ones));
      c31 = i32x4.add(c31, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(v, a), ones));

        p0 += 16;
        p1 += 16;
        p2 += 16;
        p3 += 16;
        w += 128;
      }
      for (; s > 0; s--) {
      u = v128.load(w, 0);
      v = v128.load(w, 16);
      a = v128.load32_splat(p0, 0);
      c00 = i32x4.add(c00, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(u, a), ones));
      c01 = i32x4.add(c01, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(v, a), ones));
      a = v128.load32_splat(p1, 0);
      c10 = i32x4.add(c10, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(u, a), ones));
      c11 = i32x4.add(c11, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(v, a), ones));
      a = v128.load32_splat(p2, 0);
      c20 = i32x4.add(c20, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(u, a), ones));
      c21 = i32x4.add(c21, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(v, a), ones));
      a = v128.load32_splat(p3, 0);
      c30 = i32x4.add(c30, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(u, a), ones));
      c31 = i32x4.add(c31, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(v, a), ones));

        p0 += 4;
        p1 += 4;
        p2 += 4;
        p3 += 4;
        w += 32;
      }
    }
  v128.store(out, c00, 0);
  v128.store(out, c01, 16);
  v128.store(out, c10, 32);
  v128.store(out, c11, 48);
  v128.store(out, c20, 64);
  v128.store(out, c21, 80);
  v128.store(out, c30, 96);
  v128.store(out, c31, 112);
}
