// Two-operand elementwise kernels over up to 6 strided dimensions.
import { at, clamp64, half, put } from "./common";
import { addRun16, addRun8, extremeRun16, extremeRun8, mulRun16, mulRun8, wideFactor, wideFits, wideRounding } from "./simd";

// The shape block: 32-bit words at `d`: rank, then dims[6], aStrides[6], bStrides[6], yStrides[6] (elements).

// @ts-ignore: decorator
@inline
function one(op: i32, a: i64, b: i64, m1: i64, m2: i64, s: i64, r: i64, yz: i64): i64 {
  if (op == 0) return ((a * m1 + b * m2 + r) >> s) + yz;
  if (op == 1) return ((a * b * m1 + r) >> s) + yz;
  if (op == 2) return a > b ? a : b;
  return a < b ? a : b;
}

function run<A, B, Y>(
  op: i32, a: usize, b: usize, y: usize, d: usize,
  m1: i64, m2: i64, s: i64, az: i64, bz: i64, yz: i64, lo: i64, hi: i64, depth: i32,
): void {
  const n = load<i32>(d + 4 + (<usize>depth << 2));
  const as = <isize>load<i32>(d + 28 + (<usize>depth << 2));
  const bs = <isize>load<i32>(d + 52 + (<usize>depth << 2));
  const ys = <isize>load<i32>(d + 76 + (<usize>depth << 2));
  if (depth + 1 < load<i32>(d)) {
    for (let i: isize = 0; i < n; i++) {
      run<A, B, Y>(
        op, a + i * as * sizeof<A>(), b + i * bs * sizeof<B>(), y + i * ys * sizeof<Y>(), d,
        m1, m2, s, az, bz, yz, lo, hi, depth + 1);
    }
    return;
  }
  const r = half(s);
  let i: isize = 0;
  if (sizeof<A>() == 1 && sizeof<B>() == 1 && sizeof<Y>() == 1) {
    if (ys == 1 && n >= 8 && (as == 0 || as == 1) && (bs == 0 || bs == 1)) {
      if (op == 0) {
        // Products have 24 bits, so a shift of 30 or more gives 0 as one of 30 does.
        const t = min<i64>(s, 30);
        if (m1 < 32768 && m2 < 32768) {
          i = addRun8(
            a, as, b, bs, y, n, <i32>m1, <i32>m2, <i32>(half(t) - az * m1 - bz * m2), <i32>t, <i32>yz, <i32>lo, <i32>hi);
        }
      } else if (op == 1) {
        // Shifts over 32 give 0 as a factor of 0 does: |(a - az)(b - bz) m1| < 2^31.
        if (s >= 2 && m1 < 32768 && m1 > -32768) {
          i = mulRun8(
            a, as, b, bs, y, n, <i32>az, <i32>bz, s > 32 ? 0 : <i32>m1, <i32>min<i64>(s, 32), <i32>yz, <i32>lo, <i32>hi);
        }
      } else i = extremeRun8(op, a, as, b, bs, y, n, <i32>lo, <i32>hi);
    }
  }
  if (sizeof<A>() == 2 && sizeof<B>() == 2 && sizeof<Y>() <= 2) {
    const plain = ys == 1 && n >= 8 && (as == 0 || as == 1) && (bs == 0 || bs == 1) && az == 0 && bz == 0;
    if (op == 0 && plain && s >= 2 && s <= 31 && m1 < 32768 && m2 < 32768 && m1 > -32768 && m2 > -32768) {
      i = addRun16(
        a, as, b, bs, y, sizeof<Y>() == 2 ? 2 : 0, n, <i32>m1, <i32>m2, <i32>s, <i32>yz, <i32>lo, <i32>hi);
    } else if (op == 1 && plain && wideFits(m1, s)) {
      i = mulRun16(
        a, as, b, bs, y, sizeof<Y>() == 2 ? 2 : 0, n, wideFactor(m1, s), wideRounding(s), <i32>max<i64>(0, s - 32),
        <i32>yz, <i32>lo, <i32>hi);
    } else if (op >= 2 && plain && sizeof<Y>() == 2) {
      i = extremeRun16(op, a, as, b, bs, y, n, <i32>lo, <i32>hi);
    }
  }
  for (; i < n; i++) {
    const v = one(op, <i64>at<A>(a, i * as) - az, <i64>at<B>(b, i * bs) - bz, m1, m2, s, r, yz);
    put<Y>(y, i * ys, clamp64(v, lo, hi));
  }
}

function y3<A, B>(
  op: i32, yt: i32, a: usize, b: usize, y: usize, d: usize,
  m1: i32, m2: i32, s: i32, az: i32, bz: i32, yz: i32, lo: i32, hi: i32,
): void {
  if (yt == 0) run<A, B, i8>(op, a, b, y, d, m1, m2, s, az, bz, yz, lo, hi, 0);
  else if (yt == 2) run<A, B, i16>(op, a, b, y, d, m1, m2, s, az, bz, yz, lo, hi, 0);
  else run<A, B, i32>(op, a, b, y, d, m1, m2, s, az, bz, yz, lo, hi, 0);
}

function b3<A>(
  op: i32, bt: i32, yt: i32, a: usize, b: usize, y: usize, d: usize,
  m1: i32, m2: i32, s: i32, az: i32, bz: i32, yz: i32, lo: i32, hi: i32,
): void {
  if (bt == 0) y3<A, i8>(op, yt, a, b, y, d, m1, m2, s, az, bz, yz, lo, hi);
  else if (bt == 2) y3<A, i16>(op, yt, a, b, y, d, m1, m2, s, az, bz, yz, lo, hi);
  else y3<A, i32>(op, yt, a, b, y, d, m1, m2, s, az, bz, yz, lo, hi);
}

// op: 0 add, 1 mul, 2 max, 3 min.
export function binary(
  op: i32, at: i32, bt: i32, yt: i32, a: usize, b: usize, y: usize, d: usize,
  m1: i32, m2: i32, s: i32, az: i32, bz: i32, yz: i32, lo: i32, hi: i32,
): void {
  if (at == 0) b3<i8>(op, bt, yt, a, b, y, d, m1, m2, s, az, bz, yz, lo, hi);
  else if (at == 2) b3<i16>(op, bt, yt, a, b, y, d, m1, m2, s, az, bz, yz, lo, hi);
  else b3<i32>(op, bt, yt, a, b, y, d, m1, m2, s, az, bz, yz, lo, hi);
}
