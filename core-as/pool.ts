// Pooling over NHWC. Geometry block as in conv.ts (batch, inH, inW, channels, -, outH, outW, kernel, stride, pad, dilation).
import { at, clamp64, half, put } from "./common";

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
    if (sizeof<X>() == 1 && sizeof<Y>() == 1) {
      if (average) {
        first = avgRow8(x, y, g, row, mul, shift, includePad, <i32>xz, <i32>yz, <i32>lo, <i32>hi);
      } else first = maxRow8(x, y, g, row, <i32>lo, <i32>hi);
      if (first == C) continue;
    }
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

// 16 int8 channels at a time; returns the channels done.
function maxRow8(x: usize, y: usize, g: usize, row: i32, lo: i32, hi: i32): i32 {
  const inH = word(g, 1), inW = word(g, 2), C = word(g, 3), outH = word(g, 5), outW = word(g, 6);
  const kh = word(g, 7), kw = word(g, 8), sh = word(g, 9), sw = word(g, 10);
  const pt = word(g, 11), pl = word(g, 12), dh = word(g, 13), dw = word(g, 14);
  const n = row / outH, oy = row % outH, low = i8x16.splat(<i8>lo), high = i8x16.splat(<i8>hi);
  const whole = C & ~15;
  for (let ox = 0; ox < outW; ox++) {
    const out = y + (<usize>row * outW + ox) * C;
    for (let c = 0; c < whole; c += 16) {
      let best = low;
      for (let ky = 0; ky < kh; ky++) {
        const iy = oy * sh - pt + ky * dh;
        if (iy < 0 || iy >= inH) continue;
        const line = x + (<usize>n * inH + iy) * inW * C + c;
        for (let kx = 0; kx < kw; kx++) {
          const ix = ox * sw - pl + kx * dw;
          if (<u32>ix < <u32>inW) best = i8x16.max_s(best, v128.load(line + <usize>ix * C));
        }
      }
      v128.store(out + c, i8x16.min_s(best, high));
    }
  }
  return whole;
}

// The same for sums of 8 int8 channels with int8 output; needs |m| < 2^15.
function avgRow8(
  x: usize, y: usize, g: usize, row: i32, mul: usize, shift: usize, includePad: i32, xz: i32, yz: i32, lo: i32, hi: i32,
): i32 {
  const inH = word(g, 1), inW = word(g, 2), C = word(g, 3), outH = word(g, 5), outW = word(g, 6);
  const kh = word(g, 7), kw = word(g, 8), sh = word(g, 9), sw = word(g, 10);
  const pt = word(g, 11), pl = word(g, 12), dh = word(g, 13), dw = word(g, 14);
  const n = row / outH, oy = row % outH, z = i16x8.splat(<i16>yz);
  const low = i8x16.splat(<i8>lo), high = i8x16.splat(<i8>hi);
  const whole = C & ~7;
  if (kh * kw > 256) return 0;
  // Every factor in use must have a shift that the fixed-point end takes.
  for (let k: i32 = includePad ? kh * kw : 1; k <= kh * kw; k++) {
    const s = load<i8>(shift + <usize>k);
    if (s < 16 || s > 32) return 0;
  }
  for (let ox = 0; ox < outW; ox++) {
    const out = y + (<usize>row * outW + ox) * C;
    for (let c = 0; c < whole; c += 8) {
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
      const f = i32x4.splat(<i32>load<i16>(mul + (k << 1)) << (32 - <i32>load<i8>(shift + k)));
      const w = i16x8.add_sat_s(i16x8.narrow_i32x4_s(
        high4(i32x4.sub(i32x4.extend_low_i16x8_s(acc), off), f),
        high4(i32x4.sub(i32x4.extend_high_i16x8_s(acc), off), f)), z);
      v128.store64_lane(out + c, i8x16.min_s(i8x16.max_s(i8x16.narrow_i16x8_s(w, w), low), high), 0);
    }
  }
  return whole;
}

// @ts-ignore: decorator
@inline
function high4(p: v128, f: v128): v128 {
  const r = i64x2.splat(0x80000000);
  return i32x4.shuffle(
    i64x2.add(i64x2.extmul_low_i32x4_s(p, f), r), i64x2.add(i64x2.extmul_high_i32x4_s(p, f), r), 1, 3, 5, 7);
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
