// Normalisation of rows, docs/arithmetic.md section 9c. Everything behind the sums is binary64 in which every product
// and sum is exact, so that one path serves all sizes and shifts.
import { put } from "./common";

// Sums of four lanes, with signs and without.
// @ts-ignore: decorator
@inline
function lanes(v: v128): i64 {
  return <i64>i32x4.extract_lane(v, 0) + i32x4.extract_lane(v, 1) + i32x4.extract_lane(v, 2) + i32x4.extract_lane(v, 3);
}

// @ts-ignore: decorator
@inline
function lanesU(v: v128): i64 {
  return <i64><u32>i32x4.extract_lane(v, 0) + <i64><u32>i32x4.extract_lane(v, 1) + <i64><u32>i32x4.extract_lane(v, 2) +
    <i64><u32>i32x4.extract_lane(v, 3);
}

// 1 / sqrt(V) as r * 2^-(15 + j) from the table R: returns r * 2^-j.
// @ts-ignore: decorator
@inline
function inverseRoot(V: i64, R: usize): f64 {
  // One rounding of what needs more than 53 bits.
  const v = <i64><f64>V, j = (63 - clz<i64>(v)) >> 1, e = (j << 1) - 13;
  const u = <i32>(e >= 0 ? v >> e : v << -e);
  const i = R + (<usize>((u >> 7) - 64) << 2), f = u & 127;
  const r = (load<i32>(i) * (128 - f) + load<i32>(i, 4) * f + 64) >> 7;
  return <f64>r * reinterpret<f64>((1023 - j) << 52);
}

// Four elements as integers: x of two and two, factors and biases at t.
// @ts-ignore: decorator
@inline
function four(x: v128, t: usize, a: v128, b: v128, lo: v128, hi: v128, magic: v128): v128 {
  let p = f64x2.convert_low_i32x4_s(x), q = f64x2.convert_low_i32x4_s(i64x2.shuffle(x, x, 1, 1));
  p = f64x2.floor(f64x2.add(f64x2.mul(p, a), b));
  q = f64x2.floor(f64x2.add(f64x2.mul(q, a), b));
  p = f64x2.floor(f64x2.add(f64x2.mul(p, v128.load(t)), v128.load(t, 32)));
  q = f64x2.floor(f64x2.add(f64x2.mul(q, v128.load(t, 16)), v128.load(t, 48)));
  p = f64x2.add(f64x2.pmin(f64x2.pmax(p, lo), hi), magic);
  q = f64x2.add(f64x2.pmin(f64x2.pmax(q, lo), hi), magic);
  return i32x4.shuffle(p, q, 0, 2, 4, 6);
}

// The table of a call: for four elements four factors and four biases plus 1/2, times 2^-s.
function fill(m: usize, b: usize, n: usize, s: i64, table: usize): void {
  const k = reinterpret<f64>((1023 - s) << 52);
  for (let i: usize = 0; i < n; i++) {
    const t = table + ((i >> 2) << 6) + ((i & 3) << 3);
    store<f64>(t, <f64>load<i16>(m + (i << 1)) * k);
    store<f64>(t, <f64>load<i32>(b + (i << 2)) * k + 0.5, 32);
  }
}

// One row: its sums, then its elements.
// @ts-ignore: decorator
@inline
function row<X>(
  x: usize, y: usize, yt: i32, n: usize, xz: i32, mean: bool, R: usize, table: usize, epsilon: i64,
  yz: i32, low: f64, high: f64, lo: v128, hi: v128, magic: v128,
): void {
  const ones = v128.load(256), z = i16x8.splat(<i16>xz);
  let S: i64 = 0, Q: i64 = 0, i: usize = 0;
  let sums = i32x4.splat(0);
  if (sizeof<X>() == 1) {
    // Squares of a lane stay below 2^16 / 4 * 255^2 < 2^31.
    let squares = i32x4.splat(0);
    for (; i + 8 <= n; i += 8) {
      const v = i16x8.sub(v128.load_ext<i8>(x + i), z);
      sums = i32x4.add(sums, i32x4.dot_i16x8_s(v, ones));
      squares = i32x4.add(squares, i32x4.dot_i16x8_s(v, v));
    }
    Q = lanesU(squares);
  } else {
    // A pair of squares is at most 2^31: a whole number without a sign.
    let squares = i64x2.splat(0);
    for (; i + 8 <= n; i += 8) {
      const v = v128.load(x + (i << 1)), d = i32x4.dot_i16x8_s(v, v);
      sums = i32x4.add(sums, i32x4.dot_i16x8_s(v, ones));
      squares = i64x2.add(squares, i64x2.add(i64x2.extend_low_i32x4_u(d), i64x2.extend_high_i32x4_u(d)));
    }
    Q = i64x2.extract_lane(squares, 0) + i64x2.extract_lane(squares, 1);
  }
  S = lanes(sums);
  for (; i < n; i++) {
    const v = <i64>load<X>(x + i * sizeof<X>()) - xz;
    S += v;
    Q += v * v;
  }
  if (!mean) S = 0;
  const p = inverseRoot(max<i64>(<i64>n * Q - S * S + epsilon, 1), R);
  // h = floor((n (x - xz) - S) p + 1/2)
  const A = <f64><i64>n * p, B = 0.5 - <f64>(S + <i64>n * xz) * p;
  const a = f64x2.splat(A), b = f64x2.splat(B);
  for (i = 0; i + 8 <= n; i += 8) {
    const v = sizeof<X>() == 1 ? v128.load_ext<i8>(x + i) : v128.load(x + (i << 1));
    const t = table + (i << 4);
    const c = four(i32x4.extend_low_i16x8_s(v), t, a, b, lo, hi, magic);
    const d = four(i32x4.extend_high_i16x8_s(v), t + 64, a, b, lo, hi, magic);
    if (yt == 3) {
      v128.store(y + (i << 2), c);
      v128.store(y + (i << 2), d, 16);
    } else {
      const w = i16x8.narrow_i32x4_s(c, d);
      if (yt == 2) v128.store(y + (i << 1), w);
      else v128.store64_lane(y + i, i8x16.narrow_i16x8_s(w, w), 0);
    }
  }
  for (; i < n; i++) {
    const t = table + ((i >> 2) << 6) + ((i & 3) << 3);
    const h = Math.floor(<f64>load<X>(x + i * sizeof<X>()) * A + B);
    const v = Math.floor(h * load<f64>(t) + load<f64>(t, 32));
    const q = <i64>Math.min(Math.max(v, low), high) + yz;
    if (yt == 0) put<i8>(y, i, q);
    else if (yt == 2) put<i16>(y, i, q);
    else put<i32>(y, i, q);
  }
}

// Rows of n elements; xt 0 (less xz) or 2 (xz is 0); R: 193 int32. table: 64 bytes for every four of n.
export function layerNorm(
  xt: i32, yt: i32, x: usize, y: usize, rows: usize, n: usize, xz: i32, mean: i32, R: usize, m: usize, b: usize,
  s: i32, epsilon: f64, yz: i32, qmin: i32, qmax: i32, table: usize,
): void {
  fill(m, b, n, s, table);
  const low = <f64>qmin - <f64>yz, high = <f64>qmax - <f64>yz;
  // 1.5 * 2^52 leaves a small integer in the low half of a binary64.
  const lo = f64x2.splat(low), hi = f64x2.splat(high), magic = f64x2.splat(6755399441055744.0 + <f64>yz);
  const bytes: usize = yt == 0 ? 1 : yt == 2 ? 2 : 4;
  for (let k: usize = 0; k < rows; k++) {
    const at = k * n, q = y + at * bytes;
    if (xt == 0) row<i8>(x + at, q, yt, n, xz, mean != 0, R, table, <i64>epsilon, yz, low, high, lo, hi, magic);
    else row<i16>(x + (at << 1), q, yt, n, xz, mean != 0, R, table, <i64>epsilon, yz, low, high, lo, hi, magic);
  }
}
