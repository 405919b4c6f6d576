// Written by core-as/gen/micro.ts; do not edit.

import { rowEnd } from "./row_end";

export function dw3s1(
  src: usize, rows: i32, rowStep: usize, pairs: i32, pairStep: usize, kw: i32, tapStep: usize, colStep: usize,
  weights: usize, bias: usize, mul: usize, n: i32, y: usize, yRow: usize, yCol: usize,
  k: usize, mode: i32, channels: i32, finish: usize,
): void {
  const b = v128.load(bias);
  const ends = mode == 4 ? k + 448 : k, m = v128.load(mul), r = v128.load(ends), z = v128.load(ends, 16);
  const limits = mode == 1 ? k + 64 : k + 32, lo = v128.load(limits), hi = v128.load(limits, 16);
  const u0 = v128.load(weights), u1 = v128.load(weights, 16), u2 = v128.load(weights, 32);
  const v0 = v128.load(weights, 48), v1 = v128.load(weights, 64), v2 = v128.load(weights, 80);
  let p0: v128, p1: v128, p2: v128, p3: v128, p4: v128, p5: v128;
  let q0: v128, q1: v128, q2: v128, q3: v128, q4: v128, q5: v128;
  for (let row: i32 = 0; row < rows; row++, src += rowStep, y += yRow) {
    let p = src, out = y;
      p0 = v128.load_ext<i8>(p, 0);
      q0 = v128.load_ext<i8>(p + pairStep, 0);
      p1 = v128.load_ext<i8>(p, 16);
      q1 = v128.load_ext<i8>(p + pairStep, 16);
    for (let t: i32 = 0; t < n; t += 4) {
      let c0 = b, c1 = b, c2 = b, c3 = b;
      c0 = i32x4.add(c0, i32x4.dot_i16x8_s(p0, u0));
      c0 = i32x4.add(c0, i32x4.dot_i16x8_s(q0, v0));
      c0 = i32x4.add(c0, i32x4.dot_i16x8_s(p1, u1));
      c0 = i32x4.add(c0, i32x4.dot_i16x8_s(q1, v1));
      c1 = i32x4.add(c1, i32x4.dot_i16x8_s(p1, u0));
      c1 = i32x4.add(c1, i32x4.dot_i16x8_s(q1, v0));
      p2 = v128.load_ext<i8>(p, 32);
      q2 = v128.load_ext<i8>(p + pairStep, 32);
      c0 = i32x4.add(c0, i32x4.dot_i16x8_s(p2, u2));
      c0 = i32x4.add(c0, i32x4.dot_i16x8_s(q2, v2));
      c1 = i32x4.add(c1, i32x4.dot_i16x8_s(p2, u1));
      c1 = i32x4.add(c1, i32x4.dot_i16x8_s(q2, v1));
      c2 = i32x4.add(c2, i32x4.dot_i16x8_s(p2, u0));
      c2 = i32x4.add(c2, i32x4.dot_i16x8_s(q2, v0));
      p3 = v128.load_ext<i8>(p, 48);
      q3 = v128.load_ext<i8>(p + pairStep, 48);
      c1 = i32x4.add(c1, i32x4.dot_i16x8_s(p3, u2));
      c1 = i32x4.add(c1, i32x4.dot_i16x8_s(q3, v2));
      c2 = i32x4.add(c2, i32x4.dot_i16x8_s(p3, u1));
      c2 = i32x4.add(c2, i32x4.dot_i16x8_s(q3, v1));
      c3 = i32x4.add(c3, i32x4.dot_i16x8_s(p3, u0));
      c3 = i32x4.add(c3, i32x4.dot_i16x8_s(q3, v0));
      p4 = v128.load_ext<i8>(p, 64);
      q4 = v128.load_ext<i8>(p + pairStep, 64);
      c2 = i32x4.add(c2, i32x4.dot_i16x8_s(p4, u2));
      c2 = i32x4.add(c2, i32x4.dot_i16x8_s(q4, v2));
      c3 = i32x4.add(c3, i32x4.dot_i16x8_s(p4, u1));
      c3 = i32x4.add(c3, i32x4.dot_i16x8_s(q4, v1));
      p5 = v128.load_ext<i8>(p, 80);
      q5 = v128.load_ext<i8>(p + pairStep, 80);
      c3 = i32x4.add(c3, i32x4.dot_i16x8_s(p5, u2));
      c3 = i32x4.add(c3, i32x4.dot_i16x8_s(q5, v2));
      p0 = p4;
      q0 = q4;
      p1 = p5;
      q1 = q5;
      p += 64;
      rowEnd(c0, c1, c2, c3, out, yCol, n - t, m, r, z, lo, hi, k, mode, channels, finish);
      out += yCol << 2;
    }
  }
}

export function dw3s2(
  src: usize, rows: i32, rowStep: usize, pairs: i32, pairStep: usize, kw: i32, tapStep: usize, colStep: usize,
  weights: usize, bias: usize, mul: usize, n: i32, y: usize, yRow: usize, yCol: usize,
  k: usize, mode: i32, channels: i32, finish: usize,
): void {
  const b = v128.load(bias);
  const ends = mode == 4 ? k + 448 : k, m = v128.load(mul), r = v128.load(ends), z = v128.load(ends, 16);
  const limits = mode == 1 ? k + 64 : k + 32, lo = v128.load(limits), hi = v128.load(limits, 16);
  const u0 = v128.load(weights), u1 = v128.load(weights, 16), u2 = v128.load(weights, 32);
  const v0 = v128.load(weights, 48), v1 = v128.load(weights, 64), v2 = v128.load(weights, 80);
  let p0: v128, p1: v128, p2: v128, p3: v128, p4: v128, p5: v128, p6: v128, p7: v128, p8: v128;
  let q0: v128, q1: v128, q2: v128, q3: v128, q4: v128, q5: v128, q6: v128, q7: v128, q8: v128;
  for (let row: i32 = 0; row < rows; row++, src += rowStep, y += yRow) {
    let p = src, out = y;
      p0 = v128.load_ext<i8>(p, 0);
      q0 = v128.load_ext<i8>(p + pairStep, 0);
    for (let t: i32 = 0; t < n; t += 4) {
      let c0 = b, c1 = b, c2 = b, c3 = b;
      c0 = i32x4.add(c0, i32x4.dot_i16x8_s(p0, u0));
      c0 = i32x4.add(c0, i32x4.dot_i16x8_s(q0, v0));
      p1 = v128.load_ext<i8>(p, 16);
      q1 = v128.load_ext<i8>(p + pairStep, 16);
      c0 = i32x4.add(c0, i32x4.dot_i16x8_s(p1, u1));
      c0 = i32x4.add(c0, i32x4.dot_i16x8_s(q1, v1));
      p2 = v128.load_ext<i8>(p, 32);
      q2 = v128.load_ext<i8>(p + pairStep, 32);
      c0 = i32x4.add(c0, i32x4.dot_i16x8_s(p2, u2));
      c0 = i32x4.add(c0, i32x4.dot_i16x8_s(q2, v2));
      c1 = i32x4.add(c1, i32x4.dot_i16x8_s(p2, u0));
      c1 = i32x4.add(c1, i32x4.dot_i16x8_s(q2, v0));
      p3 = v128.load_ext<i8>(p, 48);
      q3 = v128.load_ext<i8>(p + pairStep, 48);
      c1 = i32x4.add(c1, i32x4.dot_i16x8_s(p3, u1));
      c1 = i32x4.add(c1, i32x4.dot_i16x8_s(q3, v1));
      p4 = v128.load_ext<i8>(p, 64);
      q4 = v128.load_ext<i8>(p + pairStep, 64);
      c1 = i32x4.add(c1, i32x4.dot_i16x8_s(p4, u2));
      c1 = i32x4.add(c1, i32x4.dot_i16x8_s(q4, v2));
      c2 = i32x4.add(c2, i32x4.dot_i16x8_s(p4, u0));
      c2 = i32x4.add(c2, i32x4.dot_i16x8_s(q4, v0));
      p5 = v128.load_ext<i8>(p, 80);
      q5 = v128.load_ext<i8>(p + pairStep, 80);
      c2 = i32x4.add(c2, i32x4.dot_i16x8_s(p5, u1));
      c2 = i32x4.add(c2, i32x4.dot_i16x8_s(q5, v1));
      p6 = v128.load_ext<i8>(p, 96);
      q6 = v128.load_ext<i8>(p + pairStep, 96);
      c2 = i32x4.add(c2, i32x4.dot_i16x8_s(p6, u2));
      c2 = i32x4.add(c2, i32x4.dot_i16x8_s(q6, v2));
      c3 = i32x4.add(c3, i32x4.dot_i16x8_s(p6, u0));
      c3 = i32x4.add(c3, i32x4.dot_i16x8_s(q6, v0));
      p7 = v128.load_ext<i8>(p, 112);
      q7 = v128.load_ext<i8>(p + pairStep, 112);
      c3 = i32x4.add(c3, i32x4.dot_i16x8_s(p7, u1));
      c3 = i32x4.add(c3, i32x4.dot_i16x8_s(q7, v1));
      p8 = v128.load_ext<i8>(p, 128);
      q8 = v128.load_ext<i8>(p + pairStep, 128);
      c3 = i32x4.add(c3, i32x4.dot_i16x8_s(p8, u2));
      c3 = i32x4.add(c3, i32x4.dot_i16x8_s(q8, v2));
      p0 = p8;
      q0 = q8;
      p += 128;
      rowEnd(c0, c1, c2, c3, out, yCol, n - t, m, r, z, lo, hi, k, mode, channels, finish);
      out += yCol << 2;
    }
  }
}

export function dwAny(
  src: usize, rows: i32, rowStep: usize, pairs: i32, pairStep: usize, kw: i32, tapStep: usize, colStep: usize,
  weights: usize, bias: usize, mul: usize, n: i32, y: usize, yRow: usize, yCol: usize,
  k: usize, mode: i32, channels: i32, finish: usize,
): void {
  const b = v128.load(bias);
  const ends = mode == 4 ? k + 448 : k, m = v128.load(mul), r = v128.load(ends), z = v128.load(ends, 16);
  const limits = mode == 1 ? k + 64 : k + 32, lo = v128.load(limits), hi = v128.load(limits, 16);
  for (let row: i32 = 0; row < rows; row++, src += rowStep, y += yRow) {
    for (let t: i32 = 0; t < n; t += 4) {
      const p0 = src + <usize>t * colStep;
      let c0 = b, c1 = b, c2 = b, c3 = b;
      let w = weights, line = p0;
      for (let j: i32 = 0; j < pairs; j++, line += pairStep) {
        let at = line;
        for (let i: i32 = 0; i < kw; i++, at += tapStep, w += 16) {
          const u = v128.load(w);
          c0 = i32x4.add(c0, i32x4.dot_i16x8_s(v128.load_ext<i8>(at), u));
          c1 = i32x4.add(c1, i32x4.dot_i16x8_s(v128.load_ext<i8>(at + colStep), u));
          c2 = i32x4.add(c2, i32x4.dot_i16x8_s(v128.load_ext<i8>(at + 2 * colStep), u));
          c3 = i32x4.add(c3, i32x4.dot_i16x8_s(v128.load_ext<i8>(at + 3 * colStep), u));
        }
      }
      rowEnd(c0, c1, c2, c3, y + <usize>t * yCol, yCol, n - t, m, r, z, lo, hi, k, mode, channels, finish);
    }
  }
}

// The accumulators of 4 outputs x 4 channels, [4][4] int32 at `out`.
export function dwRaw(
  p0: usize, pairs: i32, pairStep: usize, kw: i32, tapStep: usize, colStep: usize, weights: usize, out: usize,
): void {
      const b = i32x4.splat(0);
      let c0 = b, c1 = b, c2 = b, c3 = b;
      let w = weights, line = p0;
      for (let j: i32 = 0; j < pairs; j++, line += pairStep) {
        let at = line;
        for (let i: i32 = 0; i < kw; i++, at += tapStep, w += 16) {
          const u = v128.load(w);
          c0 = i32x4.add(c0, i32x4.dot_i16x8_s(v128.load(at), u));
          c1 = i32x4.add(c1, i32x4.dot_i16x8_s(v128.load(at + colStep), u));
          c2 = i32x4.add(c2, i32x4.dot_i16x8_s(v128.load(at + 2 * colStep), u));
          c3 = i32x4.add(c3, i32x4.dot_i16x8_s(v128.load(at + 3 * colStep), u));
        }
      }
      v128.store(out, c0, 0);
      v128.store(out, c1, 16);
      v128.store(out, c2, 32);
      v128.store(out, c3, 48);
}
