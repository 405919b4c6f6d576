// Pooling over NHWC. Geometry block as in conv.ts (batch, inH, inW, channels, -, outH, outW, kernel, stride, pad, dilation).
import { at, clamp64, half, put } from "./common";
import { high4 } from "./simd";

// @ts-ignore: decorator
@inline
function word(g: usize, i: usize): i32 {
  return load<i32>(g + (i << 2));
}

function run<X, Y>(
  average: bool, x: usize, y: usize, g: usize, mul: usize, shift: usize, includePad: i32,
  xz: i64, yz: i64, lo: i64, hi: i64,
): void {
  const inH = word(g, 1), inW = word(g, 2), C = word(g, 3), outH = word(g, 5), outW = word(g, 6);
  const kh = word(g, 7), kw = word(g, 8), sh = word(g, 9), sw = word(g, 10);
  const pt = word(g, 11), pl = word(g, 12), dh = word(g, 13), dw = word(g, 14);
  for (let row = word(g, 17); row < word(g, 18); row++) {
    const n = row / outH, oy = row % outH;
    let first = 0;
    if (average) {
      if (sizeof<X>() == 1 && sizeof<Y>() == 1) {
        first = avgRow8(x, y, g, row, mul, shift, includePad, <i32>xz, <i32>yz, <i32>lo, <i32>hi);
      } else if (sizeof<Y>() <= 2) {
        first = avgRow16<X, Y>(x, y, g, row, mul, shift, includePad, <i32>xz, <i32>yz, <i32>lo, <i32>hi);
      }
    } else first = maxRow<X>(x, y, g, row, <i32>lo, <i32>hi);
    if (first == C) continue;
    for (let ox = 0; ox < outW; ox++) {
      for (let c = first; c < C; c++) {
        let acc: i64 = average ? 0 : lo, taps = 0;
        for (let ky = 0; ky < kh; ky++) {
          const iy = oy * sh - pt + ky * dh;
          if (iy < 0 || iy >= inH) continue;
          for (let kx = 0; kx < kw; kx++) {
            const ix = ox * sw - pl + kx * dw;
            if (ix < 0 || ix >= inW) continue;
            const v = <i64>at<X>(x, ((<usize>n * inH + iy) * inW + ix) * C + c);
            taps++;
            if (average) acc += v - xz;
            else if (v > acc) acc = v;
          }
        }
        if (average) {
          const k = <usize>(includePad ? kh * kw : taps);
          const s = <i64>load<i8>(shift + k);
          acc = ((acc * <i64>load<i16>(mul + (k << 1)) + half(s)) >> s) + yz;
        }
        put<Y>(y, (<usize>row * outW + ox) * C + c, clamp64(acc, lo, hi));
      }
    }
  }
}

// A vector of channels at a time, the last one overlapping the one before; returns the channels done.
function maxRow<X>(x: usize, y: usize, g: usize, row: i32, lo: i32, hi: i32): i32 {
  const inH = word(g, 1), inW = word(g, 2), C = word(g, 3), outH = word(g, 5), outW = word(g, 6);
  const kh = word(g, 7), kw = word(g, 8), sh = word(g, 9), sw = word(g, 10);
  const pt = word(g, 11), pl = word(g, 12), dh = word(g, 13), dw = word(g, 14);
  const n = row / outH, oy = row % outH, lanes: i32 = 16 / sizeof<X>();
  const low = sizeof<X>() == 1 ? i8x16.splat(<i8>lo) : i16x8.splat(<i16>lo);
  const high = sizeof<X>() == 1 ? i8x16.splat(<i8>hi) : i16x8.splat(<i16>hi);
  if (C < lanes) return 0;
  // Taps inside the picture, the same for the whole row.
  const top = oy * sh - pt, step = <usize>dw * C * sizeof<X>();
  const ky0 = top < 0 ? (dh - 1 - top) / dh : 0, ky1 = min<i32>(kh, inH > top ? (inH - top + dh - 1) / dh : 0);
  for (let ox = 0; ox < outW; ox++) {
    const out = y + (<usize>row * outW + ox) * C * sizeof<X>(), side = ox * sw - pl;
    const kx0 = side < 0 ? (dw - 1 - side) / dw : 0, kx1 = min<i32>(kw, inW > side ? (inW - side + dw - 1) / dw : 0);
    const corner = x + (((<usize>n * inH + (top + ky0 * dh)) * inW + (side + kx0 * dw)) * C) * sizeof<X>();
    const line = <usize>dh * inW * C * sizeof<X>();
    for (let c = 0; c < C; c += lanes) {
      const at = <usize>min<i32>(c, C - lanes) * sizeof<X>();
      let best = low, from = corner + at;
      for (let ky = ky0; ky < ky1; ky++, from += line) {
        let p = from;
        for (let kx = kx0; kx < kx1; kx++, p += step) {
          if (sizeof<X>() == 1) best = i8x16.max_s(best, v128.load(p));
          else best = i16x8.max_s(best, v128.load(p));
        }
      }
      if (sizeof<X>() == 1) v128.store(out + at, i8x16.min_s(best, high));
      else v128.store(out + at, i16x8.min_s(best, high));
    }
  }
  return C;
}

// Factors of averages are (sum 4 f + 2^31) >> 32 with f = m << (30 - s): shifts of 14, for a single tap between equal
// scales, to 30.
// @ts-ignore: decorator
@inline
function usual(mul: usize, shift: usize, from: i32, to: i32): bool {
  for (let k: i32 = from; k <= to; k++) {
    const s = load<i8>(shift + <usize>k), m = load<i16>(mul + (<usize>k << 1));
    if (m != 0 && (s < 14 || s > 30 || m == -32768)) return false;
  }
  return true;
}

// @ts-ignore: decorator
@inline
function factorAt(mul: usize, shift: usize, k: usize): i32 {
  const m = <i32>load<i16>(mul + (k << 1));
  return m == 0 ? 0 : m << (30 - <i32>load<i8>(shift + k));
}

// @ts-ignore: decorator
@inline
function average4(sum: v128, off: v128, f: v128, r: v128): v128 {
  return high4(i32x4.shl(i32x4.sub(sum, off), 2), f, r);
}

// Averages of 8 channels with sums in int32, the last 8 overlapping the ones before; int8 or int16 to int8 or int16.
// Returns the channels done: all or none.
function avgRow16<X, Y>(
  x: usize, y: usize, g: usize, row: i32, mul: usize, shift: usize, includePad: i32, xz: i32, yz: i32, lo: i32, hi: i32,
): i32 {
  const inH = word(g, 1), inW = word(g, 2), C = word(g, 3), outH = word(g, 5), outW = word(g, 6);
  const kh = word(g, 7), kw = word(g, 8), sh = word(g, 9), sw = word(g, 10);
  const pt = word(g, 11), pl = word(g, 12), dh = word(g, 13), dw = word(g, 14);
  const n = row / outH, oy = row % outH, z = i32x4.splat(yz), low = i32x4.splat(lo), high = i32x4.splat(hi);
  if (C < 8 || kh * kw > 4096 || !usual(mul, shift, includePad ? kh * kw : 1, kh * kw)) return 0;
  const r = i64x2.splat(0x80000000);
  const top = oy * sh - pt, step = <usize>dw * C * sizeof<X>(), line = <usize>dh * inW * C * sizeof<X>();
  const ky0 = top < 0 ? (dh - 1 - top) / dh : 0, ky1 = min<i32>(kh, inH > top ? (inH - top + dh - 1) / dh : 0);
  for (let ox = 0; ox < outW; ox++) {
    const out = y + (<usize>row * outW + ox) * C * sizeof<Y>(), side = ox * sw - pl;
    const kx0 = side < 0 ? (dw - 1 - side) / dw : 0, kx1 = min<i32>(kw, inW > side ? (inW - side + dw - 1) / dw : 0);
    const corner = x + (((<usize>n * inH + (top + ky0 * dh)) * inW + (side + kx0 * dw)) * C) * sizeof<X>();
    const taps = max<i32>(0, ky1 - ky0) * max<i32>(0, kx1 - kx0), k = <usize>(includePad ? kh * kw : taps);
    const off = i32x4.splat(taps * xz);
    const f = i32x4.splat(k == 0 ? 0 : factorAt(mul, shift, k));
    for (let c = 0; c < C; c += 8) {
      const at = <usize>min<i32>(c, C - 8);
      let a = i32x4.splat(0), b = a, from = corner + at * sizeof<X>();
      for (let ky = ky0; ky < ky1; ky++, from += line) {
        let p = from;
        for (let kx = kx0; kx < kx1; kx++, p += step) {
          const v = sizeof<X>() == 1 ? v128.load_ext<i8>(p) : v128.load(p);
          a = i32x4.add(a, i32x4.extend_low_i16x8_s(v));
          b = i32x4.add(b, i32x4.extend_high_i16x8_s(v));
        }
      }
      a = i32x4.add(average4(a, off, f, r), z);
      b = i32x4.add(average4(b, off, f, r), z);
      a = i32x4.min_s(i32x4.max_s(a, low), high);
      b = i32x4.min_s(i32x4.max_s(b, low), high);
      const w = i16x8.narrow_i32x4_s(a, b);
      if (sizeof<Y>() == 2) v128.store(out + (at << 1), w);
      else v128.store64_lane(out + at, i8x16.narrow_i16x8_s(w, w), 0);
    }
  }
  return C;
}

// The same for int8 to int8, with sums in int16.
function avgRow8(
  x: usize, y: usize, g: usize, row: i32, mul: usize, shift: usize, includePad: i32, xz: i32, yz: i32, lo: i32, hi: i32,
): i32 {
  const inH = word(g, 1), inW = word(g, 2), C = word(g, 3), outH = word(g, 5), outW = word(g, 6);
  const kh = word(g, 7), kw = word(g, 8), sh = word(g, 9), sw = word(g, 10);
  const pt = word(g, 11), pl = word(g, 12), dh = word(g, 13), dw = word(g, 14);
  const n = row / outH, oy = row % outH, z = i16x8.splat(<i16>yz);
  const low = i8x16.splat(<i8>lo), high = i8x16.splat(<i8>hi);
  const r = i64x2.splat(0x80000000);
  if (C < 8 || kh * kw > 256 || !usual(mul, shift, includePad ? kh * kw : 1, kh * kw)) return 0;
  for (let ox = 0; ox < outW; ox++) {
    const out = y + (<usize>row * outW + ox) * C;
    for (let q = 0; q < C; q += 8) {
      // The last 8 channels overlap the ones before.
      const c = min<i32>(q, C - 8);
      let acc = i16x8.splat(0), taps = 0;
      for (let ky = 0; ky < kh; ky++) {
        const iy = oy * sh - pt + ky * dh;
        if (iy < 0 || iy >= inH) continue;
        const line = x + (<usize>n * inH + iy) * inW * C + c;
        for (let kx = 0; kx < kw; kx++) {
          const ix = ox * sw - pl + kx * dw;
          if (<u32>ix >= <u32>inW) continue;
          acc = i16x8.add(acc, v128.load_ext<i8>(line + <usize>ix * C));
          taps++;
        }
      }
      const k = <usize>(includePad ? kh * kw : taps);
      if (k == 0) {
        v128.store64_lane(out + c, i8x16.splat(<i8>max<i32>(lo, min<i32>(hi, yz))), 0);
        continue;
      }
      const off = i32x4.splat(taps * xz);
      const f = i32x4.splat(factorAt(mul, shift, k));
      const w = i16x8.add_sat_s(i16x8.narrow_i32x4_s(
        average4(i32x4.extend_low_i16x8_s(acc), off, f, r),
        average4(i32x4.extend_high_i16x8_s(acc), off, f, r)), z);
      v128.store64_lane(out + c, i8x16.min_s(i8x16.max_s(i8x16.narrow_i16x8_s(w, w), low), high), 0);
    }
  }
  return C;
}

export function maxPool(t: i32, x: usize, y: usize, g: usize, lo: i32, hi: i32): void {
  if (t == 0) run<i8, i8>(false, x, y, g, 0, 0, 0, 0, 0, lo, hi);
  else run<i16, i16>(false, x, y, g, 0, 0, 0, 0, 0, lo, hi);
}

export function avgPool(
  xt: i32, yt: i32, x: usize, y: usize, g: usize, mul: usize, shift: usize, includePad: i32,
  xz: i32, yz: i32, lo: i32, hi: i32,
): void {
  if (xt == 0) {
    if (yt == 0) run<i8, i8>(true, x, y, g, mul, shift, includePad, xz, yz, lo, hi);
    else if (yt == 2) run<i8, i16>(true, x, y, g, mul, shift, includePad, xz, yz, lo, hi);
    else run<i8, i32>(true, x, y, g, mul, shift, includePad, xz, yz, lo, hi);
  } else {
    if (yt == 0) run<i16, i8>(true, x, y, g, mul, shift, includePad, xz, yz, lo, hi);
    else if (yt == 2) run<i16, i16>(true, x, y, g, mul, shift, includePad, xz, yz, lo, hi);
    else run<i16, i32>(true, x, y, g, mul, shift, includePad, xz, yz, lo, hi);
  }
}
