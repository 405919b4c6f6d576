// Softmax of docs/arithmetic.md section 9.
import { half, put } from "./common";

// Reciprocal and shift of a sum; E: 256 int16, R: 256 values held as uint16 (R[0] = 32768).
// @ts-ignore: decorator
@inline
function reciprocal(S: u64, R: usize): i64 {
  return <i64>load<u16>(R + (<usize>(((S << 8) >> (63 - clz<u64>(S))) - 256) << 1));
}

// One contiguous line.
// @ts-ignore: decorator
@inline
function line<Y>(x: usize, y: usize, n: usize, E: usize, R: usize, h: i64, lo: i64, hi: i64): void {
  let k: usize = 0, best = i8x16.splat(-128);
  for (; k + 16 <= n; k += 16) best = i8x16.max_s(best, v128.load(x + k));
  best = i8x16.max_s(best, i64x2.shuffle(best, best, 1, 0));
  best = i8x16.max_s(best, i32x4.shuffle(best, best, 1, 0, 3, 2));
  best = i8x16.max_s(best, i16x8.shuffle(best, best, 1, 0, 3, 2, 5, 4, 7, 6));
  let top = max<i32>(i8x16.extract_lane_s(best, 0), i8x16.extract_lane_s(best, 1));
  for (; k < n; k++) top = max<i32>(top, <i32>load<i8>(x + k));
  const e0 = E + ((255 - top) << 1);
  let S: u64 = 0, S2: u64 = 0;
  for (k = 0; k + 2 <= n; k += 2) {
    S += <u64>load<i16>(e0 + (<i32>load<i8>(x + k) << 1));
    S2 += <u64>load<i16>(e0 + (<i32>load<i8>(x + k, 1) << 1));
  }
  if (k < n) S += <u64>load<i16>(e0 + (<i32>load<i8>(x + k) << 1));
  S += S2;
  const r = reciprocal(S, R), sh = 63 - <i64>clz<u64>(S) + h, rnd = half(sh);
  for (k = 0; k < n; k++) {
    const q = (<i64>load<i16>(e0 + (<i32>load<i8>(x + k) << 1)) * r + rnd) >> sh;
    put<Y>(y, k, min<i64>(max<i64>(q, lo), hi));
  }
}

// Up to 16 neighbouring lines with `inner` elements between their members. scratch: 16 of e0 (u32), sums (u64),
// reciprocals (u32), shifts (u32).
// @ts-ignore: decorator
@inline
function lines<Y>(
  x: usize, y: usize, n: usize, width: usize, inner: usize, E: usize, R: usize, h: i64, lo: i64, hi: i64, scratch: usize,
): void {
  const sums = scratch + 64, rs = scratch + 192, shifts = scratch + 256;
  let best = i8x16.splat(-128);
  // Reads 16 bytes wherever the lines lie: Arena keeps that much readable behind every buffer.
  for (let k: usize = 0, p = x; k < n; k++, p += inner) best = i8x16.max_s(best, v128.load(p));
  v128.store(scratch, best, 320);
  for (let i: usize = 0; i < width; i++) {
    store<u32>(scratch + (i << 2), <u32>(E + ((255 - <i32>load<i8>(scratch + i, 320)) << 1)));
    store<u64>(sums + (i << 3), 0);
  }
  for (let k: usize = 0, p = x; k < n; k++, p += inner) {
    for (let i: usize = 0; i < width; i++) {
      const e = <u64>load<i16>(<usize>load<u32>(scratch + (i << 2)) + (<i32>load<i8>(p + i) << 1));
      store<u64>(sums + (i << 3), load<u64>(sums + (i << 3)) + e);
    }
  }
  for (let i: usize = 0; i < width; i++) {
    const S = load<u64>(sums + (i << 3));
    store<u32>(rs + (i << 2), <u32>reciprocal(S, R));
    store<u32>(shifts + (i << 2), 63 - <u32>clz<u64>(S) + <u32>h);
  }
  for (let k: usize = 0, p = x, q = y; k < n; k++, p += inner, q += inner * sizeof<Y>()) {
    for (let i: usize = 0; i < width; i++) {
      const e = <i64>load<i16>(<usize>load<u32>(scratch + (i << 2)) + (<i32>load<i8>(p + i) << 1));
      const sh = <i64>load<u32>(shifts + (i << 2));
      const v = (e * <i64>load<u32>(rs + (i << 2)) + half(sh)) >> sh;
      put<Y>(q, i, min<i64>(max<i64>(v, lo), hi));
    }
  }
}

function run<Y>(
  x: usize, y: usize, outer: usize, reduce: usize, inner: usize, E: usize, R: usize, h: i32, lo: i32, hi: i32, scratch: usize,
): void {
  for (let o: usize = 0; o < outer; o++) {
    const base = o * reduce * inner;
    if (inner == 1) line<Y>(x + base, y + base * sizeof<Y>(), reduce, E, R, h, lo, hi);
    else {
      for (let i: usize = 0; i < inner; i += 16) {
        lines<Y>(
          x + base + i, y + (base + i) * sizeof<Y>(), reduce, min<usize>(16, inner - i), inner, E, R, h, lo, hi, scratch);
      }
    }
  }
}

// scratch: 336 bytes.
export function softmax(
  yt: i32, x: usize, y: usize, outer: usize, reduce: usize, inner: usize, E: usize, R: usize,
  h: i32, lo: i32, hi: i32, scratch: usize,
): void {
  if (yt == 0) run<i8>(x, y, outer, reduce, inner, E, R, h, lo, hi, scratch);
  else run<i16>(x, y, outer, reduce, inner, E, R, h, lo, hi, scratch);
}
