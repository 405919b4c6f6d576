// float32 functions on four lanes. Constants are loaded: V8 rebuilds vector constants at every use.
//
// exp: x = n ln 2 + r with an integer n and |r| <= ln 2 / 2, e^r by a polynomial of degree 6 (the coefficients of
// degrees 2 to 6 fitted for the least relative error, 3e-9), 2^n through the exponent's bits. Adding 1.5 * 2^23 rounds to an
// integer and leaves it in the low bits.

const K = memory.data<f32>([
  1.44269504088896341, 1.44269504088896341, 1.44269504088896341, 1.44269504088896341,
  -0.693359375, -0.693359375, -0.693359375, -0.693359375,
  2.12194440e-4, 2.12194440e-4, 2.12194440e-4, 2.12194440e-4,
  1.3814540e-3, 1.3814540e-3, 1.3814540e-3, 1.3814540e-3,
  8.368745213e-3, 8.368745213e-3, 8.368745213e-3, 8.368745213e-3,
  4.1668390793e-2, 4.1668390793e-2, 4.1668390793e-2, 4.1668390793e-2,
  1.66665203982e-1, 1.66665203982e-1, 1.66665203982e-1, 1.66665203982e-1,
  4.99999934321e-1, 4.99999934321e-1, 4.99999934321e-1, 4.99999934321e-1,
  1.0, 1.0, 1.0, 1.0,
  89.0, 89.0, 89.0, 89.0,
  -104.0, -104.0, -104.0, -104.0,
  // tanh
  -5.70498872745e-3, -5.70498872745e-3, -5.70498872745e-3, -5.70498872745e-3,
  2.06390887954e-2, 2.06390887954e-2, 2.06390887954e-2, 2.06390887954e-2,
  -5.37397155531e-2, -5.37397155531e-2, -5.37397155531e-2, -5.37397155531e-2,
  1.33314422036e-1, 1.33314422036e-1, 1.33314422036e-1, 1.33314422036e-1,
  -3.33332819422e-1, -3.33332819422e-1, -3.33332819422e-1, -3.33332819422e-1,
  0.625, 0.625, 0.625, 0.625,
  2.0, 2.0, 2.0, 2.0,
  // Rounding
  12582912.0, 12582912.0, 12582912.0, 12582912.0,
  // e^-x
  -1.44269504088896341, -1.44269504088896341, -1.44269504088896341, -1.44269504088896341,
  87.0, 87.0, 87.0, 87.0,
  -87.0, -87.0, -87.0, -87.0,
  // erf
  8.513104731580992e-05, 8.513104731580992e-05, 8.513104731580992e-05, 8.513104731580992e-05,
  -0.0008175639639739636, -0.0008175639639739636, -0.0008175639639739636, -0.0008175639639739636,
  0.005203859212727662, 0.005203859212727662, 0.005203859212727662, 0.005203859212727662,
  -0.026860508497485534, -0.026860508497485534, -0.026860508497485534, -0.026860508497485534,
  0.11283715033865287, 0.11283715033865287, 0.11283715033865287, 0.11283715033865287,
  -0.3761263497997389, -0.3761263497997389, -0.3761263497997389, -0.3761263497997389,
  1.128379166764404, 1.128379166764404, 1.128379166764404, 1.128379166764404,
  0.9, 0.9, 0.9, 0.9,
  0.3275911, 0.3275911, 0.3275911, 0.3275911,
  1.061405429, 1.061405429, 1.061405429, 1.061405429,
  -1.453152027, -1.453152027, -1.453152027, -1.453152027,
  1.421413741, 1.421413741, 1.421413741, 1.421413741,
  -0.284496736, -0.284496736, -0.284496736, -0.284496736,
  0.254829592, 0.254829592, 0.254829592, 0.254829592,
  20.0, 20.0, 20.0, 20.0,
], 16);

// @ts-ignore: decorator
@inline
function k(i: usize): v128 {
  return v128.load(K + (i << 4));
}

// @ts-ignore: decorator
@inline
export function one(): v128 {
  return k(8);
}

// @ts-ignore: decorator
@inline
function series(r: v128): v128 {
  // Not by Horner: short chains of dependent steps.
  const r2 = f32x4.mul(r, r);
  const high = f32x4.relaxed_madd(k(3), r2, f32x4.relaxed_madd(k(4), r, k(5)));
  const low = f32x4.relaxed_madd(f32x4.relaxed_madd(k(6), r, k(7)), r2, f32x4.add(r, k(8)));
  return f32x4.relaxed_madd(high, f32x4.mul(r2, r2), low);
}

// e^x within 2 units of the last place; 0 and infinity outside the range, NaN stays.
// @ts-ignore: decorator
@inline
export function exp4(v: v128): v128 {
  const x = f32x4.pmax(f32x4.pmin(v, k(9)), k(10));
  const t = f32x4.relaxed_madd(x, k(0), k(18)), n = f32x4.sub(t, k(18));
  const p = series(f32x4.relaxed_madd(n, k(2), f32x4.relaxed_madd(n, k(1), x)));
  // In two factors: 2^128 and numbers below 2^-126 are reached as well.
  const i = i32x4.sub(t, k(18)), h = i32x4.shr_s(i, 1);
  const a = i32x4.add(i32x4.shl(h, 23), k(8)), b = i32x4.add(i32x4.shl(i32x4.sub(i, h), 23), k(8));
  return f32x4.mul(f32x4.mul(p, a), b);
}

// 1 + e^-x, for x from -87 to 87 (beyond that it is the value at the end); NaN stays.
// @ts-ignore: decorator
@inline
function logistic(v: v128): v128 {
  const x = f32x4.pmax(f32x4.pmin(v, k(20)), k(21));
  const t = f32x4.relaxed_madd(x, k(19), k(18)), n = f32x4.sub(t, k(18));
  const r = f32x4.relaxed_madd(n, k(2), f32x4.sub(f32x4.mul(n, k(1)), x));
  return f32x4.add(k(8), i32x4.add(series(r), i32x4.shl(t, 23)));
}

// @ts-ignore: decorator
@inline
export function sigmoid4(x: v128): v128 {
  return f32x4.div(k(8), logistic(x));
}

// @ts-ignore: decorator
@inline
export function silu4(x: v128): v128 {
  return f32x4.div(x, logistic(x));
}

// @ts-ignore: decorator
@inline
export function tanh4(x: v128): v128 {
  const m = f32x4.abs(x), s = f32x4.mul(x, x);
  let p = f32x4.relaxed_madd(k(11), s, k(12));
  p = f32x4.relaxed_madd(p, s, k(13));
  p = f32x4.relaxed_madd(p, s, k(14));
  p = f32x4.relaxed_madd(p, s, k(15));
  const small = f32x4.relaxed_madd(f32x4.mul(p, s), x, x);
  const big = f32x4.sub(k(8), f32x4.div(k(17), f32x4.add(exp4(f32x4.add(m, m)), k(8))));
  const sign = i32x4.shl(i32x4.shr_u(x, 31), 31);
  return v128.bitselect(small, v128.or(big, sign), f32x4.lt(m, k(16)));
}

// Within 3e-7: near 0 an odd polynomial (fitted, 3e-10 relative), else formula 7.1.26 of Abramowitz and Stegun.
// @ts-ignore: decorator
@inline
export function erf4(x: v128): v128 {
  const m = f32x4.abs(x), s = f32x4.mul(x, x);
  let p = f32x4.relaxed_madd(k(22), s, k(23));
  p = f32x4.relaxed_madd(p, s, k(24));
  p = f32x4.relaxed_madd(p, s, k(25));
  p = f32x4.relaxed_madd(p, s, k(26));
  p = f32x4.relaxed_madd(p, s, k(27));
  p = f32x4.relaxed_madd(p, s, k(28));
  const t = f32x4.div(k(8), f32x4.relaxed_madd(k(30), m, k(8)));
  let q = f32x4.relaxed_madd(k(31), t, k(32));
  q = f32x4.relaxed_madd(q, t, k(33));
  q = f32x4.relaxed_madd(q, t, k(34));
  q = f32x4.relaxed_madd(q, t, k(35));
  const big = f32x4.sub(k(8), f32x4.mul(f32x4.mul(q, t), exp4(f32x4.neg(s))));
  const sign = i32x4.shl(i32x4.shr_u(x, 31), 31);
  return v128.bitselect(f32x4.mul(p, x), v128.or(big, sign), f32x4.lt(m, k(29)));
}

// x tanh(ln(1 + e^x)) = x n / (n + 2) with n = e^x (e^x + 2); from 20 on it is x.
// @ts-ignore: decorator
@inline
export function mish4(x: v128): v128 {
  const e = exp4(f32x4.pmin(x, k(36))), n = f32x4.mul(e, f32x4.add(e, k(17)));
  return f32x4.mul(x, f32x4.div(n, f32x4.add(n, k(17))));
}
