// Fast quantization to int16, exact without a division: as quantize8.ts, but in float64. k = trunc(x * (8192 / scale) +
// 4096 + 2) is wrong by much less than 1 up to 2^18 scales; beyond that it is -2^31 (a boundary) or saturates.
import { fakeRun16, quantizeRun16 } from "./quantize_exact";

const page: usize = 4096;

// @ts-ignore: decorator
@inline
function four(p: usize, inverse: v128, shift: v128): v128 {
  const x = v128.load(p);
  return i64x2.shuffle(
    i32x4.relaxed_trunc_f64x2_s_zero(f64x2.relaxed_madd(f64x2.promote_low_f32x4(x), inverse, shift)),
    i32x4.relaxed_trunc_f64x2_s_zero(
      f64x2.relaxed_madd(f64x2.promote_low_f32x4(i32x4.shuffle(x, x, 2, 3, 2, 3)), inverse, shift)), 0, 2);
}

// 8 elements; whether none lies at a rounding boundary.
// @ts-ignore: decorator
@inline
function block(
  p: usize, y: usize, inverse: v128, shift: v128, mask: v128, least: v128, z: v128, lo: v128, hi: v128,
): i32 {
  const k0 = four(p, inverse, shift), k1 = four(p + 16, inverse, shift);
  const near = i32x4.min_s(v128.and(k0, mask), v128.and(k1, mask));
  const w = i16x8.narrow_i32x4_s(i32x4.add(i32x4.shr_s(k0, 13), z), i32x4.add(i32x4.shr_s(k1, 13), z));
  v128.store(y, i16x8.min_s(i16x8.max_s(w, lo), hi));
  return !v128.any_true(i32x4.gt_s(least, near));
}

export function quantizeFast16(
  x: usize, y: usize, n: usize, s: f32, zero: i32, lowest: i32, highest: i32, even: i32,
): usize {
  const inverse = f64x2.splat(8192.0 / <f64>s), shift = v128.load(656), mask = v128.load(672), least = v128.load(592);
  const z = i32x4.splat(zero), lo = i16x8.splat(<i16>lowest), hi = i16x8.splat(<i16>highest);
  let i: usize = 0;
  for (; i + page <= n; i += 3 * (page >> 2)) {
    for (const end = i + (page >> 2); i < end; i += 8) {
      for (let j: usize = 0; j < page; j += page >> 2) {
        const p = x + ((i + j) << 2), q = y + ((i + j) << 1);
        if (!block(p, q, inverse, shift, mask, least, z, lo, hi)) {
          quantizeRun16(p, q, 8, s, zero, lowest, highest, even);
        }
      }
    }
  }
  for (; i + 8 <= n; i += 8) {
    const p = x + (i << 2), q = y + (i << 1);
    if (!block(p, q, inverse, shift, mask, least, z, lo, hi)) {
      quantizeRun16(p, q, 8, s, zero, lowest, highest, even);
    }
  }
  return i;
}

// Quantize and dequantize, limits within 65536 of the zero point.
export function fakeFast16(
  x: usize, y: usize, n: usize, s: f32, zero: i32, lowest: i32, highest: i32, even: i32,
): usize {
  const inverse = f64x2.splat(8192.0 / <f64>s), shift = v128.load(656), mask = v128.load(672), least = v128.load(592);
  const low = i32x4.splat(lowest - zero), high = i32x4.splat(highest - zero), scale = f32x4.splat(s);
  let i: usize = 0;
  for (; i + 8 <= n; i += 8) {
    const p = x + (i << 2), q = y + (i << 2);
    const k0 = four(p, inverse, shift), k1 = four(p + 16, inverse, shift);
    const near = i32x4.min_s(v128.and(k0, mask), v128.and(k1, mask));
    if (v128.any_true(i32x4.gt_s(least, near))) {
      fakeRun16(p, q, 8, s, zero, lowest, highest, even);
      continue;
    }
    const a = i32x4.min_s(i32x4.max_s(i32x4.shr_s(k0, 13), low), high);
    const b = i32x4.min_s(i32x4.max_s(i32x4.shr_s(k1, 13), low), high);
    v128.store(q, f32x4.mul(f32x4.convert_i32x4_s(a), scale));
    v128.store(q, f32x4.mul(f32x4.convert_i32x4_s(b), scale), 16);
  }
  return i;
}
