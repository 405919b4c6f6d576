// Conversions with a scale per channel of the last axis, 8 channels at a time. Each function does the first
// channels & ~7 of every row; the caller's loop does the others.

// Rounded quotients of four elements, by the contract's own division; NaN gives 0, what lies beyond 70000 scales counts
// as that.
// @ts-ignore: decorator
@inline
function four(p: usize, scales: usize, far: v128, half: v128, minus: v128, even: i32): v128 {
  const s = v128.load(scales), top = f32x4.mul(s, far);
  let x = v128.load(p);
  x = v128.and(x, f32x4.eq(x, x));
  x = f32x4.pmin(f32x4.pmax(x, f32x4.neg(top)), top);
  const a = f64x2.div(f64x2.promote_low_f32x4(x), f64x2.promote_low_f32x4(s));
  const b = f64x2.div(
    f64x2.promote_low_f32x4(i32x4.shuffle(x, x, 2, 3, 2, 3)), f64x2.promote_low_f32x4(i32x4.shuffle(s, s, 2, 3, 2, 3)));
  return i64x2.shuffle(rounded(a, half, minus, even), rounded(b, half, minus, even), 0, 2);
}

// @ts-ignore: decorator
@inline
function rounded(q: v128, half: v128, minus: v128, even: i32): v128 {
  return i32x4.relaxed_trunc_f64x2_s_zero(
    even ? f64x2.nearest(q) : f64x2.add(q, v128.or(v128.and(q, minus), half)));
}

// To int8, uint8 or int16 (yt 0 to 2).
export function quantizeChannels(
  x: usize, y: usize, yt: i32, outer: usize, channels: usize, scales: usize, zero: i32, lowest: i32, highest: i32, even: i32,
): void {
  const far = f32x4.splat(70000), half = f64x2.splat(0.5), minus = v128.load(624);
  const z = i32x4.splat(zero), lo = i16x8.splat(<i16>lowest), hi = i16x8.splat(<i16>highest);
  const size: usize = yt == 2 ? 2 : 1;
  for (let o: usize = 0; o < outer; o++, x += channels << 2, y += channels * size) {
    for (let c: usize = 0; c + 8 <= channels; c += 8) {
      const p = x + (c << 2), s = scales + (c << 2);
      const w = i16x8.narrow_i32x4_s(
        i32x4.add(four(p, s, far, half, minus, even), z), i32x4.add(four(p + 16, s + 16, far, half, minus, even), z));
      const v = i16x8.min_s(i16x8.max_s(w, lo), hi);
      if (yt == 2) v128.store(y + (c << 1), v);
      else if (yt == 0) v128.store64_lane(y + c, i8x16.narrow_i16x8_s(v, v), 0);
      else v128.store64_lane(y + c, i8x16.narrow_i16x8_u(v, v), 0);
    }
  }
}

// Quantize and dequantize; limits within 65536 of the zero point.
export function fakeChannels(
  x: usize, y: usize, outer: usize, channels: usize, scales: usize, zero: i32, lowest: i32, highest: i32, even: i32,
): void {
  const far = f32x4.splat(70000), half = f64x2.splat(0.5), minus = v128.load(624);
  const low = i32x4.splat(lowest - zero), high = i32x4.splat(highest - zero);
  for (let o: usize = 0; o < outer; o++, x += channels << 2, y += channels << 2) {
    for (let c: usize = 0; c + 8 <= channels; c += 8) {
      const p = x + (c << 2), s = scales + (c << 2), q = y + (c << 2);
      const a = i32x4.min_s(i32x4.max_s(four(p, s, far, half, minus, even), low), high);
      const b = i32x4.min_s(i32x4.max_s(four(p + 16, s + 16, far, half, minus, even), low), high);
      v128.store(q, f32x4.mul(f32x4.convert_i32x4_s(a), v128.load(s)));
      v128.store(q, f32x4.mul(f32x4.convert_i32x4_s(b), v128.load(s, 16)), 16);
    }
  }
}

// From any type (xt as above, 3 int32 with zero point 0).
export function dequantizeChannels(
  x: usize, xt: i32, y: usize, outer: usize, channels: usize, scales: usize, zero: i32,
): void {
  const z = i32x4.splat(zero), size: usize = xt == 3 ? 4 : xt == 2 ? 2 : 1;
  for (let o: usize = 0; o < outer; o++, x += channels * size, y += channels << 2) {
    for (let c: usize = 0; c + 8 <= channels; c += 8) {
      let a: v128, b: v128;
      if (xt == 3) {
        a = v128.load(x + (c << 2));
        b = v128.load(x + (c << 2), 16);
      } else {
        const w = xt == 0 ? v128.load_ext<i8>(x + c) : xt == 1 ? v128.load_ext<u8>(x + c) : v128.load(x + (c << 1));
        a = i32x4.sub(i32x4.extend_low_i16x8_s(w), z);
        b = i32x4.sub(i32x4.extend_high_i16x8_s(w), z);
      }
      const s = scales + (c << 2), q = y + (c << 2);
      v128.store(q, f32x4.mul(f32x4.convert_i32x4_s(a), v128.load(s)));
      v128.store(q, f32x4.mul(f32x4.convert_i32x4_s(b), v128.load(s, 16)), 16);
    }
  }
}
