// Requantize alone, and the per-channel PRelu.
import { at, clamp64, get, half, put, set } from "./common";
import { prelu8, requantRun, requantRun32, wideFactor, wideFits, wideRounding } from "./simd";

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
  if (xt == 3 && xz == 0 && yz >= -32768 && yz <= 32767 && wideFits(m, s)) {
    const done = requantRun32(
      yt, x, y, n, wideFactor(m, s), wideRounding(s), max<i32>(0, s - 32), yz, lo, hi);
    x += done << 2;
    y += done << (yt == 3 ? 2 : yt == 2 ? 1 : 0);
    n -= done;
  }
  if (xt == 0) y3<i8>(yt, x, y, n, m, s, xz, yz, lo, hi);
  else if (xt == 1) y3<u8>(yt, x, y, n, m, s, xz, yz, lo, hi);
  else if (xt == 2) y3<i16>(yt, x, y, n, m, s, xz, yz, lo, hi);
  else y3<i32>(yt, x, y, n, m, s, xz, yz, lo, hi);
}

// Smallest shift so far, of a factor that is not 0.
// @ts-ignore: decorator
@inline
function least(so: i32, m: i32, s: i32): i32 {
  return m == 0 ? so : min<i32>(so, s);
}

// A factor of 16-bit values as (v 2^k f + 2^31) >> 32. Shifts over 32 give 0: products have 31 bits.
// @ts-ignore: decorator
@inline
function factorOf(m: i32, s: i32, k: i32): i32 {
  return m == 0 || s > 32 ? 0 : m << (32 - k - s);
}

// @ts-ignore: decorator
@inline
function fits(m: i32, s: i32, k: i32): bool {
  return m == 0 || s > 32 || (s + k <= 32 && m < 32768 && m > -32768);
}

// x: [outer][channels][inner]; multipliers i16 and shifts i8 per channel for the negative side; scratch: i32 per channel.
export function prelu(
  xt: i32, yt: i32, x: usize, y: usize, outer: usize, channels: usize, inner: usize,
  mPos: i32, sPos: i32, mNeg: usize, sNeg: usize, xz: i32, yz: i32, lo: i32, hi: i32, scratch: usize,
): void {
  let vector = (xt == 0 || (xt == 2 && xz == 0)) && (yt == 0 || yt == 2) && (inner == 1 ? channels : inner) >= 8;
  // Values are moved up by k bits so that the smallest shift leaves factors of 31 bits.
  let smallest = least(16, mPos, sPos);
  for (let c: usize = 0; c < channels; c++) {
    smallest = least(smallest, <i32>load<i16>(mNeg + (c << 1)), <i32>load<i8>(sNeg + c));
  }
  const k = 16 - smallest;
  vector = vector && fits(mPos, sPos, k);
  for (let c: usize = 0; c < channels && vector; c++) {
    const m = <i32>load<i16>(mNeg + (c << 1)), s = <i32>load<i8>(sNeg + c);
    vector = fits(m, s, k);
    store<i32>(scratch + (c << 2), factorOf(m, s, k));
  }
  const zx = i16x8.splat(<i16>xz), pos = i32x4.splat(factorOf(mPos, sPos, k)), half64 = i64x2.splat(0x80000000);
  const z = i32x4.splat(yz), low = i32x4.splat(lo), high = i32x4.splat(hi);
  const xs: usize = xt == 2 ? 1 : 0, ys: usize = yt == 2 ? 1 : 0;
  if (vector && inner == 1) {
    for (let o: usize = 0; o < outer; o++) {
      for (let c: usize = 0; c < channels; c += 8) {
        // The last 8 channels overlap the ones before.
        const at = min<usize>(c, channels - 8), f = scratch + (at << 2), e = o * channels + at;
        prelu8(
          xt, yt, x + (e << xs), y + (e << ys), k, zx, pos, v128.load(f), v128.load(f, 16), half64, z, low, high);
      }
    }
    return;
  }
  if (vector) {
    for (let o: usize = 0; o < outer; o++) {
      for (let c: usize = 0; c < channels; c++) {
        const f = v128.load32_splat(scratch + (c << 2)), first = (o * channels + c) * inner;
        for (let i: usize = 0; i < inner; i += 8) {
          const e = first + min<usize>(i, inner - 8);
          prelu8(xt, yt, x + (e << xs), y + (e << ys), k, zx, pos, f, f, half64, z, low, high);
        }
      }
    }
    return;
  }
  const rPos = half(sPos);
  let i: usize = 0;
  for (let o: usize = 0; o < outer; o++) {
    for (let c: usize = 0; c < channels; c++) {
      const m = <i64>load<i16>(mNeg + (c << 1)), s = <i64>load<i8>(sNeg + c), r = half(s);
      for (let e: usize = 0; e < inner; e++, i++) {
        const v = <i64>get(x, i, xt) - xz;
        const q = v >= 0 ? (v * mPos + rPos) >> sPos : (v * m + r) >> s;
        set(y, i, yt, <i32>clamp64(q + yz, lo, hi));
      }
    }
  }
}
