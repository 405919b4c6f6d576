// Requantize alone, and the per-channel PRelu.
import { at, clamp64, get, half, put, set } from "./common";
import { requantRun } from "./simd";

function run<X, Y>(
  x: usize, y: usize, n: usize, m: i64, s: i64, xz: i64, yz: i64, lo: i64, hi: i64,
): void {
  const r = half(s);
  for (let i: usize = 0; i < n; i++) {
    put<Y>(y, i, clamp64(((((<i64>at<X>(x, i)) - xz) * m + r) >> s) + yz, lo, hi));
  }
}

function y3<X>(
  yt: i32, x: usize, y: usize, n: usize, m: i32, s: i32, xz: i32, yz: i32, lo: i32, hi: i32,
): void {
  if (yt == 0) run<X, i8>(x, y, n, m, s, xz, yz, lo, hi);
  else if (yt == 2) run<X, i16>(x, y, n, m, s, xz, yz, lo, hi);
  else run<X, i32>(x, y, n, m, s, xz, yz, lo, hi);
}

export function requant(
  xt: i32, yt: i32, x: usize, y: usize, n: usize, m: i32, s: i32, xz: i32, yz: i32, lo: i32, hi: i32,
): void {
  if (xt < 3 && yt < 3 && m < 32768 && (xt < 2 || (xz == 0 && m > -32768))) {
    // Products have 24 bits (int16: at most 2^30 in magnitude), so a larger shift gives 0.
    const zero = s > 30, t = zero ? 30 : s, f = zero ? 0 : m;
    const done = requantRun(
      xt, yt, x, y, n, f, <i32>half(t) - xz * f, t, yz, lo, hi);
    x += done << (xt == 2 ? 1 : 0);
    y += done << (yt == 2 ? 1 : 0);
    n -= done;
  }
  if (xt == 0) y3<i8>(yt, x, y, n, m, s, xz, yz, lo, hi);
  else if (xt == 1) y3<u8>(yt, x, y, n, m, s, xz, yz, lo, hi);
  else if (xt == 2) y3<i16>(yt, x, y, n, m, s, xz, yz, lo, hi);
  else y3<i32>(yt, x, y, n, m, s, xz, yz, lo, hi);
}

// x: [outer][channels][inner]; multipliers i16 and shifts i8 per channel for the negative side.
export function prelu(
  xt: i32, yt: i32, x: usize, y: usize, outer: usize, channels: usize, inner: usize,
  mPos: i32, sPos: i32, mNeg: usize, sNeg: usize, xz: i32, yz: i32, lo: i32, hi: i32,
): void {
  const rPos = half(sPos);
  let i: usize = 0;
  for (let o: usize = 0; o < outer; o++) {
    for (let c: usize = 0; c < channels; c++) {
      const m = <i64>load<i16>(mNeg + (c << 1)), s = <i64>load<i8>(sNeg + c), r = half(s);
      for (let k: usize = 0; k < inner; k++, i++) {
        const v = <i64>get(x, i, xt) - xz;
        const q = v >= 0 ? (v * mPos + rPos) >> sPos : (v * m + r) >> s;
        set(y, i, yt, <i32>clamp64(q + yz, lo, hi));
      }
    }
  }
}
