// Between float32 and integers (docs/arithmetic.md section 2).

import { quantize, usable } from "./quantize_exact";
import { fakeFast16, quantizeFast16 } from "./quantize16";
import { fakeRun8, quantizeRun8 } from "./quantize8";
import { dequantizeChannels, fakeChannels, quantizeChannels } from "./quantize_channels";

// Four quantized values as float64 pairs in, int32 out. Division in float64, as the contract says; a value times
// the reciprocal would differ on ties.
// @ts-ignore: decorator
@inline
function pair(v: v128, scale: v128, z: v128, lo: v128, hi: v128, even: i32): v128 {
  const q = f64x2.div(v, scale);
  const sign = v128.and(q, f64x2.splat(-0.0));
  const r = even
    ? f64x2.nearest(q)
    : v128.or(f64x2.floor(f64x2.add(v128.andnot(q, f64x2.splat(-0.0)), f64x2.splat(0.5))), sign);
  // NaN compares unequal to itself and becomes 0.
  const c = f64x2.add(v128.and(r, f64x2.eq(q, q)), z);
  return f64x2.min(f64x2.max(c, lo), hi);
}

// @ts-ignore: decorator
@inline
function quad(x: usize, scale: v128, z: v128, lo: v128, hi: v128, even: i32): v128 {
  const v = v128.load(x);
  const a = i32x4.trunc_sat_f64x2_s_zero(pair(f64x2.promote_low_f32x4(v), scale, z, lo, hi, even));
  const b = i32x4.trunc_sat_f64x2_s_zero(
    pair(f64x2.promote_low_f32x4(i32x4.shuffle(v, v, 2, 3, 2, 3)), scale, z, lo, hi, even));
  return i64x2.shuffle(a, b, 0, 2);
}

function quantizeRun(
  x: usize, y: usize, yt: i32, n: usize, s: f64, zero: i32, lowest: i32, highest: i32, even: i32,
): usize {
  const scale = f64x2.splat(s), z = f64x2.splat(zero), lo = f64x2.splat(lowest), hi = f64x2.splat(highest);
  let i: usize = 0;
  for (; i + 8 <= n; i += 8) {
    const a = quad(x + (i << 2), scale, z, lo, hi, even), b = quad(x + (i << 2) + 16, scale, z, lo, hi, even);
    if (yt == 3) {
      v128.store(y + (i << 2), a);
      v128.store(y + (i << 2), b, 16);
      continue;
    }
    const w = i16x8.narrow_i32x4_s(a, b);
    if (yt == 2) v128.store(y + (i << 1), w);
    else if (yt == 0) v128.store64_lane(y + i, i8x16.narrow_i16x8_s(w, w), 0);
    else v128.store64_lane(y + i, i8x16.narrow_i16x8_u(w, w), 0);
  }
  return i;
}

// Any levels, by division.
function fakeRun(
  x: usize, y: usize, n: usize, s: f32, zero: i32, lowest: i32, highest: i32, even: i32,
): usize {
  const scale = f64x2.splat(<f64>s), z = f64x2.splat(zero), lo = f64x2.splat(lowest), hi = f64x2.splat(highest);
  const s4 = f32x4.splat(s);
  let i: usize = 0;
  for (; i + 4 <= n; i += 4) {
    const v = v128.load(x + (i << 2));
    const a = pair(f64x2.promote_low_f32x4(v), scale, z, lo, hi, even);
    const b = pair(f64x2.promote_low_f32x4(i32x4.shuffle(v, v, 2, 3, 2, 3)), scale, z, lo, hi, even);
    const q = i64x2.shuffle(
      f32x4.demote_f64x2_zero(f64x2.sub(a, z)), f32x4.demote_f64x2_zero(f64x2.sub(b, z)), 0, 2);
    v128.store(y + (i << 2), f32x4.mul(q, s4));
  }
  return i;
}

// @ts-ignore: decorator
@inline
function wide16(x: usize, p: usize, zs: v128, scale: v128): void {
  const v = v128.load(x);
  const a = i16x8.sub(i16x8.extend_low_i8x16_s(v), zs), b = i16x8.sub(i16x8.extend_high_i8x16_s(v), zs);
  v128.store(p, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(a)), scale));
  v128.store(p, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(a)), scale), 16);
  v128.store(p, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(b)), scale), 32);
  v128.store(p, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(b)), scale), 48);
}

function dequantizeRun(x: usize, xt: i32, y: usize, n: usize, s: f32, zero: i32): usize {
  const scale = f32x4.splat(s), z = i32x4.splat(zero);
  let i: usize = 0;
  if (xt == 0) {
    const zs = i16x8.splat(<i16>zero);
    // Two pages of the output at a time, as quantize8.ts has four of the input.
    for (; i + 2048 <= n; i += 1024) {
      for (const end = i + 1024; i < end; i += 16) {
        const p = y + (i << 2);
        wide16(x + i, p, zs, scale);
        wide16(x + i + 1024, p + 4096, zs, scale);
      }
    }
    for (; i + 16 <= n; i += 16) wide16(x + i, y + (i << 2), zs, scale);
  }
  for (; i + 8 <= n; i += 8) {
    let a: v128, b: v128;
    if (xt == 3) {
      a = v128.load(x + (i << 2));
      b = v128.load(x + (i << 2), 16);
    } else {
      const w = xt == 0 ? v128.load_ext<i8>(x + i) : xt == 1 ? v128.load_ext<u8>(x + i) : v128.load(x + (i << 1));
      a = i32x4.sub(i32x4.extend_low_i16x8_s(w), z);
      b = i32x4.sub(i32x4.extend_high_i16x8_s(w), z);
    }
    v128.store(y + (i << 2), f32x4.mul(f32x4.convert_i32x4_s(a), scale));
    v128.store(y + (i << 2), f32x4.mul(f32x4.convert_i32x4_s(b), scale), 16);
  }
  return i;
}

// [outer][channels] with one scale per channel when channels > 1, else one scale. yt: 0 int8, 1 uint8, 2 int16, 3 int32.
export function quantizeF32(
  x: usize, y: usize, yt: i32, outer: usize, channels: usize, scales: usize, perChannel: i32,
  z: i32, lo: i32, hi: i32, even: i32,
): void {
  let i: usize = 0, done: usize = 0;
  if (!perChannel) {
    const s = load<f32>(scales);
    done = yt == 3 || !usable(s)
      ? quantizeRun(x, y, yt, channels, s, z, lo, hi, even)
      : yt == 2
      ? quantizeFast16(x, y, channels, s, z, lo, hi, even)
      : quantizeRun8(x, y, yt, channels, s, z, lo, hi, even);
  } else if (yt < 3) {
    quantizeChannels(x, y, yt, outer, channels, scales, z, lo, hi, even);
    done = channels & ~7;
  }
  for (let o: usize = 0; o < outer; o++) {
    i += done;
    for (let c: usize = done; c < channels; c++, i++) {
      const s = <f64>load<f32>(scales + (perChannel ? c << 2 : 0));
      const q = <i32>quantize(load<f32>(x + (i << 2)), s, z, lo, hi, even);
      if (yt <= 1) store<u8>(y + i, <u8>q);
      else if (yt == 2) store<i16>(y + (i << 1), <i16>q);
      else store<i32>(y + (i << 2), q);
    }
  }
}

export function dequantizeF32(
  x: usize, xt: i32, y: usize, outer: usize, channels: usize, scales: usize, perChannel: i32, z: i32,
): void {
  let i: usize = 0, done: usize = 0;
  if (!perChannel && (xt < 3 || z == 0)) {
    done = dequantizeRun(x, xt, y, channels, load<f32>(scales), z);
  } else if (perChannel && (xt < 3 || z == 0)) {
    dequantizeChannels(x, xt, y, outer, channels, scales, z);
    done = channels & ~7;
  }
  for (let o: usize = 0; o < outer; o++) {
    i += done;
    for (let c: usize = done; c < channels; c++, i++) {
      const s = load<f32>(scales + (perChannel ? c << 2 : 0));
      const v: i64 = xt == 0
        ? <i64>load<i8>(x + i)
        : xt == 1
        ? <i64>load<u8>(x + i)
        : xt == 2
        ? <i64>load<i16>(x + (i << 1))
        : <i64>load<i32>(x + (i << 2));
      store<f32>(y + (i << 2), <f32>(v - z) * s);
    }
  }
}

export function fakeQuantizeF32(
  x: usize, y: usize, outer: usize, channels: usize, scales: usize, perChannel: i32,
  z: i32, lo: i32, hi: i32, even: i32,
): void {
  let i: usize = 0, done: usize = 0;
  // Differences of int32 limits and zero points need 33 bits.
  const below = <i64>lo - z, above = <i64>hi - z;
  const near = below >= -65536 && below <= 65536 && above >= -65536 && above <= 65536;
  if (!perChannel) {
    const s = load<f32>(scales);
    done = !usable(s) || !near
      ? fakeRun(x, y, channels, s, z, lo, hi, even)
      : below < -300 || above > 300
      ? fakeFast16(x, y, channels, s, z, lo, hi, even)
      : fakeRun8(x, y, channels, s, z, lo, hi, even);
  } else if (near) {
    fakeChannels(x, y, outer, channels, scales, z, lo, hi, even);
    done = channels & ~7;
  }
  for (let o: usize = 0; o < outer; o++) {
    i += done;
    for (let c: usize = done; c < channels; c++, i++) {
      const s = load<f32>(scales + (perChannel ? c << 2 : 0));
      const q = quantize(load<f32>(x + (i << 2)), s, z, lo, hi, even);
      store<f32>(y + (i << 2), <f32>(q - z) * s);
    }
  }
}
