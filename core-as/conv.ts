// Direct convolution for every shape: the fallback behind the tiled kernels, and the transposed form.
// Weights are [outC][kernelH][kernelW][inC / group], so that the inner loop runs along NHWC channels.
import { at, clamp64, half } from "./common";

// The geometry block: 32-bit words at `g`.
// 0 batch, 1 inH, 2 inW, 3 inC, 4 outC, 5 outH, 6 outW, 7 kernelH, 8 kernelW, 9 strideH, 10 strideW,
// 11 padTop, 12 padLeft, 13 dilationH, 14 dilationW, 15 group, 16 transposed, 17 rowFrom, 18 rowTo (rows of batch * outH)

// @ts-ignore: decorator
@inline
function word(g: usize, i: usize): i32 {
  return load<i32>(g + (i << 2));
}

// @ts-ignore: decorator
@inline
function dot<T>(x: usize, w: usize, n: i32, z: i32): i64 {
  let i: i32 = 0;
  let sum: i64 = 0;
  if (sizeof<T>() == 1) {
    const zs = i16x8.splat(<i16>z);
    let acc = i32x4.splat(0);
    for (; i + 8 <= n; i += 8) {
      const a = i16x8.sub(v128.load_ext<i8>(x + i), zs);
      acc = i32x4.add(acc, i32x4.dot_i16x8_s(a, v128.load_ext<i8>(w + i)));
    }
    sum = i32x4.extract_lane(acc, 0) + i32x4.extract_lane(acc, 1) + i32x4.extract_lane(acc, 2) +
      i32x4.extract_lane(acc, 3);
  }
  for (; i < n; i++) sum += (<i64>at<T>(x, i) - <i64>z) * <i64>load<i8>(w + i);
  return sum;
}

function run<T>(
  x: usize, y: usize, w: usize, bias: usize, mul: usize, shift: usize, g: usize,
  yt: i32, xz: i32, yz: i32, lo: i32, hi: i32,
): void {
  const inH = word(g, 1), inW = word(g, 2), inC = word(g, 3), outC = word(g, 4);
  const outH = word(g, 5), outW = word(g, 6), kh = word(g, 7), kw = word(g, 8);
  const sh = word(g, 9), sw = word(g, 10), pt = word(g, 11), pl = word(g, 12);
  const dh = word(g, 13), dw = word(g, 14), group = word(g, 15), transposed = word(g, 16);
  const ig = inC / group, og = outC / group;
  for (let row = word(g, 17); row < word(g, 18); row++) {
    const n = row / outH, oy = row % outH;
    for (let ox = 0; ox < outW; ox++) {
      const yBase = (<usize>row * outW + ox) * outC;
      for (let o = 0; o < outC; o++) {
        let acc: i64 = bias == 0 ? 0 : <i64>load<i32>(bias + (<usize>o << 2));
        const c0 = (o / og) * ig;
        for (let ky = 0; ky < kh; ky++) {
          let iy: i32;
          if (transposed) {
            const t = oy + pt - ky * dh;
            if (t < 0 || t % sh != 0) continue;
            iy = t / sh;
          } else iy = oy * sh - pt + ky * dh;
          if (iy < 0 || iy >= inH) continue;
          for (let kx = 0; kx < kw; kx++) {
            let ix: i32;
            if (transposed) {
              const t = ox + pl - kx * dw;
              if (t < 0 || t % sw != 0) continue;
              ix = t / sw;
            } else ix = ox * sw - pl + kx * dw;
            if (ix < 0 || ix >= inW) continue;
            const xp = x + (((<usize>n * inH + iy) * inW + ix) * inC + c0) * sizeof<T>();
            acc += dot<T>(xp, w + ((<usize>o * kh + ky) * kw + kx) * ig, ig, xz);
          }
        }
        const yi = yBase + o;
        if (yt == 3) {
          store<i32>(y + (yi << 2), <i32>clamp64(acc, lo, hi));
        } else {
          const s = <i64>load<i8>(shift + o);
          const q = clamp64(
            ((acc * <i64>load<i16>(mul + (<usize>o << 1)) + half(s)) >> s) + yz, lo, hi);
          if (yt == 0) store<i8>(y + yi, <i8>q);
          else store<i16>(y + (yi << 1), <i16>q);
        }
      }
    }
  }
}

export function convGeneric(
  x: usize, y: usize, w: usize, bias: usize, mul: usize, shift: usize, g: usize,
  xt: i32, yt: i32, xz: i32, yz: i32, lo: i32, hi: i32,
): void {
  if (xt == 0) run<i8>(x, y, w, bias, mul, shift, g, yt, xz, yz, lo, hi);
  else run<i16>(x, y, w, bias, mul, shift, g, yt, xz, yz, lo, hi);
}

// Whether one of n int8 is negative.
export function anyNegative(x: usize, n: usize): i32 {
  let any = i8x16.splat(0);
  let i: usize = 0;
  for (; i + 64 <= n; i += 64) {
    const a = v128.or(v128.load(x + i), v128.load(x + i, 16));
    const b = v128.or(v128.load(x + i, 32), v128.load(x + i, 48));
    any = v128.or(any, v128.or(a, b));
  }
  if (i8x16.bitmask(any) != 0) return 1;
  for (; i < n; i++) if (load<i8>(x + i) < 0) return 1;
  return 0;
}

// Index of the first channel whose multiplier or shift is out of range, or -1.
export function badFactor(mul: usize, shift: usize, n: i32): i32 {
  for (let c: i32 = 0; c < n; c++) {
    const s = load<i8>(shift + c);
    if (load<i16>(mul + (<usize>c << 1)) < 0 || s < 0 || s > 62) return c;
  }
  return -1;
}

// Per-channel tables of the tiles, each group padded to panels of `lanes` channels: bias, m << (32 - s), and one
// byte per panel: `best` where every channel has such a factor and the panel is full, else 3.
export function channelTables(
  bias: usize, mul: usize, shift: usize, groups: i32, og: i32, lanes: i32, requantizes: i32, best: i32,
  outBias: usize, outMul: usize, modes: usize,
): void {
  let o: usize = 0;
  for (let g: i32 = 0; g < groups; g++) {
    for (let c0: i32 = 0; c0 < og; c0 += lanes) {
      const n = min<i32>(lanes, og - c0);
      let fits = n == lanes, l: i32 = 0;
      // Four at a time; m * 2^(32 - s) is exact in float32, as m has 15 bits.
      for (; l + 4 <= n; l += 4, o += 4, outBias += 16, outMul += 16) {
        v128.store(outBias, bias ? v128.load(bias + (o << 2)) : i32x4.splat(0));
        if (!requantizes) continue;
        const m = v128.load_ext<i16>(mul + (o << 1));
        const s = i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(v128.load_zero<u32>(shift + o)));
        const fine = v128.or(i32x4.eq(m, i32x4.splat(0)), i32x4.le_u(i32x4.sub(s, i32x4.splat(16)), i32x4.splat(16)));
        fits = fits && i32x4.all_true(fine);
        const power = i32x4.shl(i32x4.sub(i32x4.splat(159), s), 23);
        v128.store(outMul, i32x4.trunc_sat_f32x4_s(f32x4.mul(f32x4.convert_i32x4_s(m), power)));
      }
      for (; l < n; l++, o++, outBias += 4, outMul += 4) {
        store<i32>(outBias, bias ? load<i32>(bias + (o << 2)) : 0);
        if (!requantizes) continue;
        const m = <i32>load<i16>(mul + (o << 1)), s = <i32>load<i8>(shift + o);
        fits = fits && (m == 0 || <u32>(s - 16) <= 16);
        store<i32>(outMul, m << (32 - s));
      }
      for (; l < lanes; l++, outBias += 4, outMul += 4) {
        store<i32>(outBias, 0);
        store<i32>(outMul, 0);
      }
      store<u8>(modes++, <u8>(fits ? best : 3));
    }
  }
}

// Whether a relaxed multiply-add rounds once.
export function maddOf(a: f32, b: f32, c: f32): f32 {
  return f32x4.extract_lane(f32x4.relaxed_madd(f32x4.splat(a), f32x4.splat(b), f32x4.splat(c)), 0);
}

// Turns panels of mode 0 (int8 output through integer products) into mode 4 (through one float32 multiply-add) where that
// gives the same bits for every accumulator: |acc| <= sums[o] * reach + |bias| <= 2^24 is exact in float32, a shift of 18
// or more keeps products below 2^21, and an odd part of the multiplier of 513 or more keeps products halfway between two
// integers (which would round to even, not up) above 256, where the output is clamped anyway.
export function floatTables(
  bias: usize, mul: usize, shift: usize, sums: usize, reach: i32, groups: i32, og: i32, lanes: i32, outMul: usize, modes: usize,
): void {
  let o: usize = 0;
  for (let g: i32 = 0; g < groups; g++) {
    for (let c0: i32 = 0; c0 < og; c0 += lanes, modes++, outMul += <usize>lanes << 2) {
      const n = min<i32>(lanes, og - c0);
      let fits = load<u8>(modes) == 0;
      for (let l: i32 = 0; l < n && fits; l++) {
        const m = <i32>load<i16>(mul + ((o + l) << 1)), s = <i32>load<i8>(shift + o + l);
        const b = bias ? <i64>load<i32>(bias + ((o + l) << 2)) : 0;
        const most = <i64>load<i32>(sums + ((o + l) << 2)) * reach + (b < 0 ? -b : b);
        fits = m == 0 || (s >= 18 && m >> ctz(m) >= 513 && most <= 16777216);
      }
      if (fits) {
        for (let l: i32 = 0; l < n; l++) {
          const m = <f32>load<i16>(mul + ((o + l) << 1)), s = <i32>load<i8>(shift + o + l);
          store<f32>(outMul + (<usize>l << 2), m * reinterpret<f32>((127 - s) << 23));
        }
        store<u8>(modes, 4);
      }
      o += n;
    }
  }
}
