// Between float32 and integers (docs/arithmetic.md section 2).

// @ts-ignore: decorator
@inline
function quantize(x: f32, scale: f64, z: f64, lo: f64, hi: f64, even: i32): f64 {
  const v = <f64>x / scale;
  const a = floor<f64>(abs<f64>(v) + 0.5);
  const q = v != v ? z : (even ? nearest<f64>(v) : v < 0 ? -a : a) + z;
  return q < lo ? lo : q > hi ? hi : q;
}

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

// Fast rounding to levels of magnitude at most 320: the float32 product with the reciprocal of the scale has an error
// below 4e-5 there, so it decides unless it lies within 1e-4 of a rounding boundary; such blocks take the division.
// Rounding half to even by the magic constant is right then too: there are no halves left.
// Constants come from memory (written by Arena): V8 would rebuild each splat at each use.

// @ts-ignore: decorator
@inline
function usable(s: f32): bool {
  return s >= 1e-30 && s <= 1e30;
}

// x / scale, saturated; NaN stays.
// @ts-ignore: decorator
@inline
function ratio(p: usize, inverse: v128, low: v128, high: v128): v128 {
  return f32x4.pmax(f32x4.pmin(f32x4.mul(v128.load(p), inverse), high), low);
}

function quantizeRun8(x: usize, y: usize, n: usize, s: f32, zero: i32, lowest: i32, highest: i32): usize {
  const inverse = f32x4.splat(<f32>(1.0 / <f64>s)), top = v128.load(288), minus = v128.load(304);
  const bottom = v128.load(320), safe = v128.load(336), magic = v128.load(352), base = v128.load(368);
  const z = i16x8.splat(<i16>zero), low = i8x16.splat(<i8>lowest), high = i8x16.splat(<i8>highest);
  let i: usize = 0;
  for (; i + 16 <= n; i += 16) {
    const p = x + (i << 2);
    const v0 = ratio(p, inverse, bottom, top), v1 = ratio(p + 16, inverse, bottom, top);
    const v2 = ratio(p + 32, inverse, bottom, top), v3 = ratio(p + 48, inverse, bottom, top);
    const t0 = f32x4.add(v0, magic), t1 = f32x4.add(v1, magic), t2 = f32x4.add(v2, magic), t3 = f32x4.add(v3, magic);
    const e0 = v128.andnot(f32x4.sub(v0, f32x4.sub(t0, magic)), minus);
    const e1 = v128.andnot(f32x4.sub(v1, f32x4.sub(t1, magic)), minus);
    const e2 = v128.andnot(f32x4.sub(v2, f32x4.sub(t2, magic)), minus);
    const e3 = v128.andnot(f32x4.sub(v3, f32x4.sub(t3, magic)), minus);
    const ok = v128.and(
      v128.and(f32x4.le(e0, safe), f32x4.le(e1, safe)), v128.and(f32x4.le(e2, safe), f32x4.le(e3, safe)));
    if (!i32x4.all_true(ok)) {
      for (let k = i; k < i + 16; k++) {
        const q = <i32>quantize(load<f32>(x + (k << 2)), <f64>s, <f64>zero, <f64>lowest, <f64>highest, 0);
        store<i8>(y + k, <i8>q);
      }
      continue;
    }
    const w0 = i16x8.add_sat_s(i16x8.narrow_i32x4_s(i32x4.sub(t0, base), i32x4.sub(t1, base)), z);
    const w1 = i16x8.add_sat_s(i16x8.narrow_i32x4_s(i32x4.sub(t2, base), i32x4.sub(t3, base)), z);
    v128.store(y + i, i8x16.min_s(i8x16.max_s(i8x16.narrow_i16x8_s(w0, w1), low), high));
  }
  return i;
}

function fakeRun8(x: usize, y: usize, n: usize, s: f32, zero: i32, lowest: i32, highest: i32): usize {
  const inverse = f32x4.splat(<f32>(1.0 / <f64>s)), top = v128.load(288), minus = v128.load(304);
  const bottom = v128.load(320), safe = v128.load(336), magic = v128.load(352), scale = f32x4.splat(s);
  const low = f32x4.splat(<f32>(lowest - zero)), high = f32x4.splat(<f32>(highest - zero));
  let i: usize = 0;
  for (; i + 8 <= n; i += 8) {
    const p = x + (i << 2);
    const v0 = ratio(p, inverse, bottom, top), v1 = ratio(p + 16, inverse, bottom, top);
    const r0 = f32x4.sub(f32x4.add(v0, magic), magic), r1 = f32x4.sub(f32x4.add(v1, magic), magic);
    const e0 = v128.andnot(f32x4.sub(v0, r0), minus), e1 = v128.andnot(f32x4.sub(v1, r1), minus);
    if (!i32x4.all_true(v128.and(f32x4.le(e0, safe), f32x4.le(e1, safe)))) {
      for (let k = i; k < i + 8; k++) {
        const q = quantize(load<f32>(x + (k << 2)), <f64>s, <f64>zero, <f64>lowest, <f64>highest, 0);
        store<f32>(y + (k << 2), <f32>(q - <f64>zero) * s);
      }
      continue;
    }
    v128.store(y + (i << 2), f32x4.mul(f32x4.pmin(f32x4.pmax(r0, low), high), scale));
    v128.store(y + (i << 2), f32x4.mul(f32x4.pmin(f32x4.pmax(r1, low), high), scale), 16);
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

function dequantizeRun(x: usize, xt: i32, y: usize, n: usize, s: f32, zero: i32): usize {
  const scale = f32x4.splat(s), z = i32x4.splat(zero);
  let i: usize = 0;
  if (xt == 0) {
    const zs = i16x8.splat(<i16>zero);
    for (; i + 16 <= n; i += 16) {
      const v = v128.load(x + i), p = y + (i << 2);
      const a = i16x8.sub(i16x8.extend_low_i8x16_s(v), zs), b = i16x8.sub(i16x8.extend_high_i8x16_s(v), zs);
      v128.store(p, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(a)), scale));
      v128.store(p, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(a)), scale), 16);
      v128.store(p, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(b)), scale), 32);
      v128.store(p, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(b)), scale), 48);
    }
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
    done = yt == 0 && !even && usable(s)
      ? quantizeRun8(x, y, channels, s, z, lo, hi)
      : quantizeRun(x, y, yt, channels, s, z, lo, hi, even);
    i = done;
  }
  for (let o: usize = 0; o < outer; o++) {
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
    i = done;
  }
  for (let o: usize = 0; o < outer; o++) {
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
  if (!perChannel) {
    const s = load<f32>(scales);
    const narrow = !even && usable(s) && lo - z >= -300 && hi - z <= 300 && lo <= hi;
    done = narrow
      ? fakeRun8(x, y, channels, s, z, lo, hi)
      : fakeRun(x, y, channels, s, z, lo, hi, even);
    i = done;
  }
  for (let o: usize = 0; o < outer; o++) {
    for (let c: usize = done; c < channels; c++, i++) {
      const s = load<f32>(scales + (perChannel ? c << 2 : 0));
      const q = quantize(load<f32>(x + (i << 2)), s, z, lo, hi, even);
      store<f32>(y + (i << 2), <f32>(q - z) * s);
    }
  }
}
