// Quantization in float64, exact for every value.

// One value (docs/arithmetic.md section 2).
// @ts-ignore: decorator
@inline
export function quantize(x: f32, scale: f64, z: f64, lo: f64, hi: f64, even: i32): f64 {
  const v = <f64>x / scale;
  const a = floor<f64>(abs<f64>(v) + 0.5);
  const q = v != v ? z : (even ? nearest<f64>(v) : v < 0 ? -a : a) + z;
  return q < lo ? lo : q > hi ? hi : q;
}

// Scales with which the products below neither overflow nor lose bits.
// @ts-ignore: decorator
@inline
export function usable(s: f32): bool {
  return s >= 1e-30 && s <= 1e30;
}

// Rounded quotients of two elements without a division, for magnitudes up to 2^17: a quotient x / s of float32 numbers
// is a half or at least 2^-25 away from one, because 2x and every odd multiple of s are multiples of the last place of
// s. So x * (1 / s), wrong by less than 2^-34, rounds right once 2^-30 is added to its magnitude (half away), or once
// it is rounded to a multiple of 2^-27 (half to even). int32 in the lower half.
// @ts-ignore: decorator
@inline
function two(v: v128, inverse: v128, even: i32): v128 {
  const q = f64x2.mul(v, inverse);
  if (even) {
    const snap = v128.load(640);
    return i32x4.relaxed_trunc_f64x2_s_zero(f64x2.nearest(f64x2.sub(f64x2.add(q, snap), snap)));
  }
  const half = v128.or(v128.and(q, v128.load(624)), v128.load(608));
  return i32x4.relaxed_trunc_f64x2_s_zero(f64x2.add(q, half));
}

// Four of them; NaN gives 0, values beyond `top` (70000 scales) count as that.
// @ts-ignore: decorator
@inline
export function four(p: usize, inverse: v128, top: v128, bottom: v128, even: i32): v128 {
  let x = v128.load(p);
  x = v128.and(x, f32x4.eq(x, x));
  x = f32x4.pmin(f32x4.pmax(x, bottom), top);
  return i64x2.shuffle(
    two(f64x2.promote_low_f32x4(x), inverse, even),
    two(f64x2.promote_low_f32x4(i32x4.shuffle(x, x, 2, 3, 2, 3)), inverse, even), 0, 2);
}

// 16 elements to int8 (t 0) or uint8.
export function exactBlock(p: usize, y: usize, t: i32, s: f32, zero: i32, lowest: i32, highest: i32, even: i32): void {
  const inverse = f64x2.splat(1.0 / <f64>s), top = f32x4.splat(70000 * s), bottom = f32x4.neg(top);
  const z = i16x8.splat(<i16>zero), lo = i16x8.splat(<i16>lowest), hi = i16x8.splat(<i16>highest);
  let a = i16x8.narrow_i32x4_s(four(p, inverse, top, bottom, even), four(p + 16, inverse, top, bottom, even));
  let b = i16x8.narrow_i32x4_s(four(p + 32, inverse, top, bottom, even), four(p + 48, inverse, top, bottom, even));
  a = i16x8.min_s(i16x8.max_s(i16x8.add_sat_s(a, z), lo), hi);
  b = i16x8.min_s(i16x8.max_s(i16x8.add_sat_s(b, z), lo), hi);
  v128.store(y, t == 0 ? i8x16.narrow_i16x8_s(a, b) : i8x16.narrow_i16x8_u(a, b));
}

// To int16; returns the elements done.
export function quantizeRun16(
  x: usize, y: usize, n: usize, s: f32, zero: i32, lowest: i32, highest: i32, even: i32,
): usize {
  return even ? run16(x, y, n, s, zero, lowest, highest, 1) : run16(x, y, n, s, zero, lowest, highest, 0);
}

// @ts-ignore: decorator
@inline
function run16(x: usize, y: usize, n: usize, s: f32, zero: i32, lowest: i32, highest: i32, even: i32): usize {
  const inverse = f64x2.splat(1.0 / <f64>s), top = f32x4.splat(70000 * s), bottom = f32x4.neg(top);
  const z = i32x4.splat(zero), lo = i16x8.splat(<i16>lowest), hi = i16x8.splat(<i16>highest);
  let i: usize = 0;
  for (; i + 8 <= n; i += 8) {
    const p = x + (i << 2);
    const a = i32x4.add(four(p, inverse, top, bottom, even), z);
    const b = i32x4.add(four(p + 16, inverse, top, bottom, even), z);
    v128.store(y + (i << 1), i16x8.min_s(i16x8.max_s(i16x8.narrow_i32x4_s(a, b), lo), hi));
  }
  return i;
}

// @ts-ignore: decorator
@inline
function fakeFour(
  p: usize, y: usize, inverse: v128, top: v128, bottom: v128, low: v128, high: v128, scale: v128, even: i32,
): void {
  const k = i32x4.min_s(i32x4.max_s(four(p, inverse, top, bottom, even), low), high);
  v128.store(y, f32x4.mul(f32x4.convert_i32x4_s(k), scale));
}

// 16 elements of quantize and dequantize.
export function fakeExact(p: usize, y: usize, s: f32, zero: i32, lowest: i32, highest: i32, even: i32): void {
  fakeRun16(p, y, 16, s, zero, lowest, highest, even);
}

// Quantize and dequantize, limits within 65536 of the zero point.
export function fakeRun16(
  x: usize, y: usize, n: usize, s: f32, zero: i32, lowest: i32, highest: i32, even: i32,
): usize {
  const inverse = f64x2.splat(1.0 / <f64>s), top = f32x4.splat(70000 * s), bottom = f32x4.neg(top);
  const low = i32x4.splat(lowest - zero), high = i32x4.splat(highest - zero), scale = f32x4.splat(s);
  let i: usize = 0;
  for (; i + 4 <= n; i += 4) fakeFour(x + (i << 2), y + (i << 2), inverse, top, bottom, low, high, scale, even);
  return i;
}
