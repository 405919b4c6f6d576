// Resize of NHWC pictures with integer tables (docs/arithmetic.md section 8).

// i0h, i0w: input row per output row, input column per output column. `bytes` per pixel.
export function resizeNearest(
  x: usize, y: usize, batch: usize, inH: usize, inW: usize, outH: usize, outW: usize, bytes: usize,
  ih: usize, iw: usize,
): void {
  for (let n: usize = 0; n < batch; n++) {
    for (let r: usize = 0; r < outH; r++) {
      const row = x + (n * inH + <usize>load<i32>(ih + (r << 2))) * inW * bytes;
      let out = y + (n * outH + r) * outW * bytes;
      for (let c: usize = 0; c < outW; c++, out += bytes) {
        const from = row + <usize>load<i32>(iw + (c << 2)) * bytes;
        if (bytes >= 32) memory.copy(out, from, bytes);
        else for (let b: usize = 0; b < bytes; b++) store<u8>(out + b, load<u8>(from + b));
      }
    }
  }
}

// 8 int8 channels at a time: the sums of four taps have 29 bits. Returns the channels done.
// @ts-ignore: decorator
@inline
function linear8(tl: usize, tr: usize, bl: usize, br: usize, out: usize, C: usize, p: i32, q: i32, a: i32, b: i32): usize {
  const w = i32x4.splat(p | (q << 16)), va = i32x4.splat(a), vb = i32x4.splat(b), r = i32x4.splat(1 << 21);
  let i: usize = 0;
  for (; i + 8 <= C; i += 8) {
    const l = v128.load_ext<i8>(tl + i), k = v128.load_ext<i8>(tr + i);
    const m = v128.load_ext<i8>(bl + i), n = v128.load_ext<i8>(br + i);
    const t0 = i32x4.dot_i16x8_s(i16x8.shuffle(l, k, 0, 8, 1, 9, 2, 10, 3, 11), w);
    const t1 = i32x4.dot_i16x8_s(i16x8.shuffle(l, k, 4, 12, 5, 13, 6, 14, 7, 15), w);
    const u0 = i32x4.dot_i16x8_s(i16x8.shuffle(m, n, 0, 8, 1, 9, 2, 10, 3, 11), w);
    const u1 = i32x4.dot_i16x8_s(i16x8.shuffle(m, n, 4, 12, 5, 13, 6, 14, 7, 15), w);
    const v0 = i32x4.shr_s(i32x4.add(i32x4.add(i32x4.mul(t0, va), i32x4.mul(u0, vb)), r), 22);
    const v1 = i32x4.shr_s(i32x4.add(i32x4.add(i32x4.mul(t1, va), i32x4.mul(u1, vb)), r), 22);
    const s = i16x8.narrow_i32x4_s(v0, v1);
    v128.store64_lane(out + i, i8x16.narrow_i16x8_s(s, s), 0);
  }
  return i;
}

// The same for int16: sums of 39 bits.
// @ts-ignore: decorator
@inline
function linear16(tl: usize, tr: usize, bl: usize, br: usize, out: usize, C: usize, p: i32, q: i32, a: i32, b: i32): usize {
  const w = i32x4.splat(p | (q << 16)), va = i32x4.splat(a), vb = i32x4.splat(b), r = i64x2.splat(1 << 21);
  let i: usize = 0;
  for (; i + 8 <= C; i += 8) {
    const o = i << 1;
    const l = v128.load(tl + o), k = v128.load(tr + o), m = v128.load(bl + o), n = v128.load(br + o);
    const v0 = blend(
      i32x4.dot_i16x8_s(i16x8.shuffle(l, k, 0, 8, 1, 9, 2, 10, 3, 11), w),
      i32x4.dot_i16x8_s(i16x8.shuffle(m, n, 0, 8, 1, 9, 2, 10, 3, 11), w), va, vb, r);
    const v1 = blend(
      i32x4.dot_i16x8_s(i16x8.shuffle(l, k, 4, 12, 5, 13, 6, 14, 7, 15), w),
      i32x4.dot_i16x8_s(i16x8.shuffle(m, n, 4, 12, 5, 13, 6, 14, 7, 15), w), va, vb, r);
    v128.store(out + o, i16x8.narrow_i32x4_s(v0, v1));
  }
  return i;
}

// (t a + u b + r) >> 22 in 64 bits; the low 32 bits of the result do not depend on the kind of shift.
// @ts-ignore: decorator
@inline
function blend(t: v128, u: v128, a: v128, b: v128, r: v128): v128 {
  const lo = i64x2.add(i64x2.add(i64x2.extmul_low_i32x4_s(t, a), i64x2.extmul_low_i32x4_s(u, b)), r);
  const hi = i64x2.add(i64x2.add(i64x2.extmul_high_i32x4_s(t, a), i64x2.extmul_high_i32x4_s(u, b)), r);
  return i32x4.shuffle(i64x2.shr_u(lo, 22), i64x2.shr_u(hi, 22), 0, 2, 4, 6);
}

// @ts-ignore: decorator
@inline
function linear<T>(
  x: usize, y: usize, batch: usize, inH: usize, inW: usize, outH: usize, outW: usize, C: usize,
  h0: usize, h1: usize, wh: usize, w0: usize, w1: usize, ww: usize,
): void {
  const row = inW * C * sizeof<T>();
  for (let n: usize = 0; n < batch; n++) {
    for (let r: usize = 0; r < outH; r++) {
      const top = x + (n * inH + <usize>load<i32>(h0 + (r << 2))) * row;
      const bottom = x + (n * inH + <usize>load<i32>(h1 + (r << 2))) * row;
      const b = <i64>load<i32>(wh + (r << 2)), a = 2048 - b;
      let out = y + (n * outH + r) * outW * C * sizeof<T>();
      for (let c: usize = 0; c < outW; c++) {
        const l = <usize>load<i32>(w0 + (c << 2)) * C * sizeof<T>();
        const k = <usize>load<i32>(w1 + (c << 2)) * C * sizeof<T>();
        const q = <i64>load<i32>(ww + (c << 2)), p = 2048 - q;
        let i: usize = 0;
        if (sizeof<T>() == 1) {
          i = linear8(top + l, top + k, bottom + l, bottom + k, out, C, <i32>p, <i32>q, <i32>a, <i32>b);
          out += i;
        } else {
          i = linear16(top + l, top + k, bottom + l, bottom + k, out, C, <i32>p, <i32>q, <i32>a, <i32>b);
          out += i << 1;
        }
        for (; i < C; i++, out += sizeof<T>()) {
          const o = i * sizeof<T>();
          const v = a * (p * <i64>load<T>(top + l + o) + q * <i64>load<T>(top + k + o)) +
            b * (p * <i64>load<T>(bottom + l + o) + q * <i64>load<T>(bottom + k + o));
          store<T>(out, <T>((v + (1 << 21)) >> 22));
        }
      }
    }
  }
}

export function resizeLinear(
  t: i32, x: usize, y: usize, batch: usize, inH: usize, inW: usize, outH: usize, outW: usize, C: usize,
  h0: usize, h1: usize, wh: usize, w0: usize, w1: usize, ww: usize,
): void {
  if (t == 0) linear<i8>(x, y, batch, inH, inW, outH, outW, C, h0, h1, wh, w0, w1, ww);
  else linear<i16>(x, y, batch, inH, inW, outH, outW, C, h0, h1, wh, w0, w1, ww);
}
