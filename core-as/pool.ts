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
    for (let ox = 0; ox < outW; ox++) {
      for (let c = 0; c < C; c++) {
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
