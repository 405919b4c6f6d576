// Fast quantization to int8 and uint8, exact without a division.
//
// float32 gives k = trunc(x * f32(16384 / scale) + 8192 + 2). For |x / scale| <= 320 the value under trunc is within 1
// of its exact counterpart (three roundings of at most 0.32, 0.25 and 0.25), so k >> 14 is the rounded quotient unless
// the quotient lies at a rounding boundary, where k mod 16384 is 0 to 3: a block with such a k takes the float64 path.
// Beyond 320 only the sign matters: results saturate. What does not fit int32, and NaN, becomes -2^31 or 0 (boundaries
// too) or saturates. Half to even differs from half away only at boundaries.
//
// Whole pages of the input are walked four at a time: four streams keep more cache lines on their way than one.
// Constants come from memory (written by Arena): V8 would rebuild each splat at each use.
import { exactBlock, fakeExact } from "./quantize_exact";

const page: usize = 4096;

// @ts-ignore: decorator
@inline
function scaled(p: usize, inverse: v128, shift: v128): v128 {
  return i32x4.relaxed_trunc_f32x4_s(f32x4.relaxed_madd(v128.load(p), inverse, shift));
}

// 16 elements; whether none lies at a boundary.
// @ts-ignore: decorator
@inline
function block(
  p: usize, y: usize, unsigned: i32, inverse: v128, shift: v128, mask: v128, least: v128, z: v128, lo: v128, hi: v128,
): i32 {
  const k0 = scaled(p, inverse, shift), k1 = scaled(p + 16, inverse, shift);
  const k2 = scaled(p + 32, inverse, shift), k3 = scaled(p + 48, inverse, shift);
  const near = i32x4.min_s(
    i32x4.min_s(v128.and(k0, mask), v128.and(k1, mask)), i32x4.min_s(v128.and(k2, mask), v128.and(k3, mask)));
  const w0 = i16x8.add_sat_s(i16x8.narrow_i32x4_s(i32x4.shr_s(k0, 14), i32x4.shr_s(k1, 14)), z);
  const w1 = i16x8.add_sat_s(i16x8.narrow_i32x4_s(i32x4.shr_s(k2, 14), i32x4.shr_s(k3, 14)), z);
  if (unsigned) v128.store(y, i8x16.min_u(i8x16.max_u(i8x16.narrow_i16x8_u(w0, w1), lo), hi));
  else v128.store(y, i8x16.min_s(i8x16.max_s(i8x16.narrow_i16x8_s(w0, w1), lo), hi));
  return !v128.any_true(i32x4.gt_s(least, near));
}

// @ts-ignore: decorator
@inline
function run(
  x: usize, y: usize, n: usize, unsigned: i32, s: f32, zero: i32, lowest: i32, highest: i32, even: i32,
): usize {
  const inverse = f32x4.splat(<f32>(16384.0 / <f64>s)), shift = v128.load(560), mask = v128.load(576);
  const least = v128.load(592), z = i16x8.splat(<i16>zero), lo = i8x16.splat(<i8>lowest), hi = i8x16.splat(<i8>highest);
  const t: i32 = unsigned ? 1 : 0;
  let i: usize = 0;
  for (; i + page <= n; i += 3 * (page >> 2)) {
    for (const end = i + (page >> 2); i < end; i += 16) {
      for (let j: usize = 0; j < page; j += page >> 2) {
        const p = x + ((i + j) << 2), q = y + i + j;
        if (!block(p, q, unsigned, inverse, shift, mask, least, z, lo, hi)) {
          exactBlock(p, q, t, s, zero, lowest, highest, even);
        }
      }
    }
  }
  for (; i + 16 <= n; i += 16) {
    const p = x + (i << 2);
    if (!block(p, y + i, unsigned, inverse, shift, mask, least, z, lo, hi)) {
      exactBlock(p, y + i, t, s, zero, lowest, highest, even);
    }
  }
  return i;
}

export function quantizeRun8(
  x: usize, y: usize, yt: i32, n: usize, s: f32, zero: i32, lowest: i32, highest: i32, even: i32,
): usize {
  return yt == 0
    ? run(x, y, n, 0, s, zero, lowest, highest, even)
    : run(x, y, n, 1, s, zero, lowest, highest, even);
}

// 16 elements of quantize and dequantize; low and high are the limits minus the zero point.
// @ts-ignore: decorator
@inline
function fakeBlock(
  p: usize, y: usize, inverse: v128, shift: v128, mask: v128, least: v128, low: v128, high: v128, scale: v128,
): i32 {
  const k0 = scaled(p, inverse, shift), k1 = scaled(p + 16, inverse, shift);
  const k2 = scaled(p + 32, inverse, shift), k3 = scaled(p + 48, inverse, shift);
  const near = i32x4.min_s(
    i32x4.min_s(v128.and(k0, mask), v128.and(k1, mask)), i32x4.min_s(v128.and(k2, mask), v128.and(k3, mask)));
  if (v128.any_true(i32x4.gt_s(least, near))) return 0;
  v128.store(y, levels(k0, low, high, scale));
  v128.store(y, levels(k1, low, high, scale), 16);
  v128.store(y, levels(k2, low, high, scale), 32);
  v128.store(y, levels(k3, low, high, scale), 48);
  return 1;
}

// @ts-ignore: decorator
@inline
function levels(k: v128, low: v128, high: v128, scale: v128): v128 {
  return f32x4.mul(
    f32x4.convert_i32x4_s(i32x4.min_s(i32x4.max_s(i32x4.shr_s(k, 14), low), high)), scale);
}

export function fakeRun8(
  x: usize, y: usize, n: usize, s: f32, zero: i32, lowest: i32, highest: i32, even: i32,
): usize {
  const inverse = f32x4.splat(<f32>(16384.0 / <f64>s)), shift = v128.load(560), mask = v128.load(576);
  const least = v128.load(592), low = i32x4.splat(lowest - zero), high = i32x4.splat(highest - zero);
  const scale = f32x4.splat(s);
  let i: usize = 0;
  for (; i + page <= n; i += 3 * (page >> 2)) {
    for (const end = i + (page >> 2); i < end; i += 16) {
      for (let j: usize = 0; j < page; j += page >> 2) {
        const p = x + ((i + j) << 2), q = y + ((i + j) << 2);
        if (!fakeBlock(p, q, inverse, shift, mask, least, low, high, scale)) {
          fakeExact(p, q, s, zero, lowest, highest, even);
        }
      }
    }
  }
  for (; i + 16 <= n; i += 16) {
    const p = x + (i << 2), q = y + (i << 2);
    if (!fakeBlock(p, q, inverse, shift, mask, least, low, high, scale)) {
      fakeExact(p, q, s, zero, lowest, highest, even);
    }
  }
  return i;
}
