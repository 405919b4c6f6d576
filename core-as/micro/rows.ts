// Written by core-as/gen/micro.ts; do not edit.

import { rowEnd } from "./row_end";

export function dw3s1(
  src: usize, rows: i32, rowStep: usize, pairs: i32, pairStep: usize, kw: i32, tapStep: usize, colStep: usize,
  weights: usize, bias: usize, mul: usize, n: i32, y: usize, yRow: usize, yCol: usize,
  k: usize, mode: i32, channels: i32, finish: usize,
): void {
  const b = v128.load(bias), last = max<i32>(0, n - 4), count = min<i32>(4, n);
  const u0 = v128.load(weights), u1 = v128.load(weights, 16), u2 = v128.load(weights, 32);
  const v0 = v128.load(weights, 48), v1 = v128.load(weights, 64), v2 = v128.load(weights, 80);
  let p: v128, q: v128;
  for (let row: i32 = 0; row < rows; row++, src += rowStep, y += yRow) {
    for (let t: i32 = 0; t < n; t += 4) {
      const x = min<i32>(t, last);
      const p0 = src + <usize>x * colStep;
      let c0 = b, c1 = b, c2 = b, c3 = b;
      const p1 = p0 + pairStep;
      p = v128.load(p0, 0);
      q = v128.load(p1, 0);
      c0 = i32x4.add(c0, i32x4.dot_i16x8_s(p, u0));
      c0 = i32x4.add(c0, i32x4.dot_i16x8_s(q, v0));
      p = v128.load(p0, 16);
      q = v128.load(p1, 16);
      c0 = i32x4.add(c0, i32x4.dot_i16x8_s(p, u1));
      c0 = i32x4.add(c0, i32x4.dot_i16x8_s(q, v1));
      c1 = i32x4.add(c1, i32x4.dot_i16x8_s(p, u0));
      c1 = i32x4.add(c1, i32x4.dot_i16x8_s(q, v0));
      p = v128.load(p0, 32);
      q = v128.load(p1, 32);
      c0 = i32x4.add(c0, i32x4.dot_i16x8_s(p, u2));
      c0 = i32x4.add(c0, i32x4.dot_i16x8_s(q, v2));
      c1 = i32x4.add(c1, i32x4.dot_i16x8_s(p, u1));
      c1 = i32x4.add(c1, i32x4.dot_i16x8_s(q, v1));
      c2 = i32x4.add(c2, i32x4.dot_i16x8_s(p, u0));
      c2 = i32x4.add(c2, i32x4.dot_i16x8_s(q, v0));
      p = v128.load(p0, 48);
      q = v128.load(p1, 48);
      c1 = i32x4.add(c1, i32x4.dot_i16x8_s(p, u2));
      c1 = i32x4.add(c1, i32x4.dot_i16x8_s(q, v2));
      c2 = i32x4.add(c2, i32x4.dot_i16x8_s(p, u1));
      c2 = i32x4.add(c2, i32x4.dot_i16x8_s(q, v1));
      c3 = i32x4.add(c3, i32x4.dot_i16x8_s(p, u0));
      c3 = i32x4.add(c3, i32x4.dot_i16x8_s(q, v0));
      p = v128.load(p0, 64);
      q = v128.load(p1, 64);
      c2 = i32x4.add(c2, i32x4.dot_i16x8_s(p, u2));
      c2 = i32x4.add(c2, i32x4.dot_i16x8_s(q, v2));
      c3 = i32x4.add(c3, i32x4.dot_i16x8_s(p, u1));
      c3 = i32x4.add(c3, i32x4.dot_i16x8_s(q, v1));
      p = v128.load(p0, 80);
      q = v128.load(p1, 80);
      c3 = i32x4.add(c3, i32x4.dot_i16x8_s(p, u2));
      c3 = i32x4.add(c3, i32x4.dot_i16x8_s(q, v2));
      rowEnd(c0, c1, c2, c3, y + <usize>x * yCol, yCol, count, mul, k, mode, channels, finish);
    }
  }
}

export function dw3s2(
  src: usize, rows: i32, rowStep: usize, pairs: i32, pairStep: usize, kw: i32, tapStep: usize, colStep: usize,
  weights: usize, bias: usize, mul: usize, n: i32, y: usize, yRow: usize, yCol: usize,
  k: usize, mode: i32, channels: i32, finish: usize,
): void {
  const b = v128.load(bias), last = max<i32>(0, n - 4), count = min<i32>(4, n);
  const u0 = v128.load(weights), u1 = v128.load(weights, 16), u2 = v128.load(weights, 32);
  const v0 = v128.load(weights, 48), v1 = v128.load(weights, 64), v2 = v128.load(weights, 80);
  let p: v128, q: v128;
  for (let row: i32 = 0; row < rows; row++, src += rowStep, y += yRow) {
    for (let t: i32 = 0; t < n; t += 4) {
      const x = min<i32>(t, last);
      const p0 = src + <usize>x * colStep;
      let c0 = b, c1 = b, c2 = b, c3 = b;
      const p1 = p0 + pairStep;
      p = v128.load(p0, 0);
      q = v128.load(p1, 0);
      c0 = i32x4.add(c0, i32x4.dot_i16x8_s(p, u0));
      c0 = i32x4.add(c0, i32x4.dot_i16x8_s(q, v0));
      p = v128.load(p0, 16);
      q = v128.load(p1, 16);
      c0 = i32x4.add(c0, i32x4.dot_i16x8_s(p, u1));
      c0 = i32x4.add(c0, i32x4.dot_i16x8_s(q, v1));
      p = v128.load(p0, 32);
      q = v128.load(p1, 32);
      c0 = i32x4.add(c0, i32x4.dot_i16x8_s(p, u2));
      c0 = i32x4.add(c0, i32x4.dot_i16x8_s(q, v2));
      c1 = i32x4.add(c1, i32x4.dot_i16x8_s(p, u0));
      c1 = i32x4.add(c1, i32x4.dot_i16x8_s(q, v0));
      p = v128.load(p0, 48);
      q = v128.load(p1, 48);
      c1 = i32x4.add(c1, i32x4.dot_i16x8_s(p, u1));
      c1 = i32x4.add(c1, i32x4.dot_i16x8_s(q, v1));
      p = v128.load(p0, 64);
      q = v128.load(p1, 64);
      c1 = i32x4.add(c1, i32x4.dot_i16x8_s(p, u2));
      c1 = i32x4.add(c1, i32x4.dot_i16x8_s(q, v2));
      c2 = i32x4.add(c2, i32x4.dot_i16x8_s(p, u0));
      c2 = i32x4.add(c2, i32x4.dot_i16x8_s(q, v0));
      p = v128.load(p0, 80);
      q = v128.load(p1, 80);
      c2 = i32x4.add(c2, i32x4.dot_i16x8_s(p, u1));
      c2 = i32x4.add(c2, i32x4.dot_i16x8_s(q, v1));
      p = v128.load(p0, 96);
      q = v128.load(p1, 96);
      c2 = i32x4.add(c2, i32x4.dot_i16x8_s(p, u2));
      c2 = i32x4.add(c2, i32x4.dot_i16x8_s(q, v2));
      c3 = i32x4.add(c3, i32x4.dot_i16x8_s(p, u0));
      c3 = i32x4.add(c3, i32x4.dot_i16x8_s(q, v0));
      p = v128.load(p0, 112);
      q = v128.load(p1, 112);
      c3 = i32x4.add(c3, i32x4.dot_i16x8_s(p, u1));
      c3 = i32x4.add(c3, i32x4.dot_i16x8_s(q, v1));
      p = v128.load(p0, 128);
      q = v128.load(p1, 128);
      c3 = i32x4.add(c3, i32x4.dot_i16x8_s(p, u2));
      c3 = i32x4.add(c3, i32x4.dot_i16x8_s(q, v2));
      rowEnd(c0, c1, c2, c3, y + <usize>x * yCol, yCol, count, mul, k, mode, channels, finish);
    }
  }
}

export function dwAny(
  src: usize, rows: i32, rowStep: usize, pairs: i32, pairStep: usize, kw: i32, tapStep: usize, colStep: usize,
  weights: usize, bias: usize, mul: usize, n: i32, y: usize, yRow: usize, yCol: usize,
  k: usize, mode: i32, channels: i32, finish: usize,
): void {
  const b = v128.load(bias), last = max<i32>(0, n - 4), count = min<i32>(4, n);
  for (let row: i32 = 0; row < rows; row++, src += rowStep, y += yRow) {
    for (let t: i32 = 0; t < n; t += 4) {
      const x = min<i32>(t, last);
      const p0 = src + <usize>x * colStep;
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
      rowEnd(c0, c1, c2, c3, y + <usize>x * yCol, yCol, count, mul, k, mode, channels, finish);
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
