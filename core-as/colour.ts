// NV12 to interleaved pictures. Sums in 20-bit fixed point: (Y - offset) * ky + chroma, plus one half, shifted.

// Planes of 16 pixels to 48 interleaved bytes. The nine masks come from memory (written by Arena); their entries are below
// 16 or have the top bit set, where the relaxed swizzle is fixed by its specification.
// @ts-ignore: decorator
@inline
function interleave(y: usize, a: v128, b: v128, c: v128): void {
  v128.store(
    y,
    v128.or(
      v128.or(i8x16.relaxed_swizzle(a, v128.load(384)), i8x16.relaxed_swizzle(b, v128.load(400))),
      i8x16.relaxed_swizzle(c, v128.load(416))),
    0);
  v128.store(
    y,
    v128.or(
      v128.or(i8x16.relaxed_swizzle(a, v128.load(432)), i8x16.relaxed_swizzle(b, v128.load(448))),
      i8x16.relaxed_swizzle(c, v128.load(464))),
    16);
  v128.store(
    y,
    v128.or(
      v128.or(i8x16.relaxed_swizzle(a, v128.load(480)), i8x16.relaxed_swizzle(b, v128.load(496))),
      i8x16.relaxed_swizzle(c, v128.load(512))),
    32);
}

// @ts-ignore: decorator
@inline
function bytes(p: v128, q: v128, r: v128, s: v128): v128 {
  return i8x16.narrow_i16x8_u(
    i16x8.narrow_i32x4_s(i32x4.shr_s(p, 20), i32x4.shr_s(q, 20)),
    i16x8.narrow_i32x4_s(i32x4.shr_s(r, 20), i32x4.shr_s(s, 20)));
}

// Four luma sums plus the chroma sums of their two pairs; first, second: which pairs of the vector.
// @ts-ignore: decorator
@inline
function low(l: v128, c: v128): v128 {
  return i32x4.add(l, i32x4.shuffle(c, c, 0, 0, 1, 1));
}

// @ts-ignore: decorator
@inline
function high(l: v128, c: v128): v128 {
  return i32x4.add(l, i32x4.shuffle(c, c, 2, 2, 3, 3));
}

// @ts-ignore: decorator
@inline
function byte(v: i32): u8 {
  const b = v >> 20;
  return <u8>(b < 0 ? 0 : b > 255 ? 255 : b);
}

// k: 6 words: offset, ky, red from V, green from U, green from V, blue from U. swap: BGR.
export function nv12ToRgb(x: usize, y: usize, width: usize, height: usize, k: usize, swap: i32): void {
  const offset = load<i32>(k), ky = load<i32>(k, 4), rv = load<i32>(k, 8), gu = load<i32>(k, 12);
  const gv = load<i32>(k, 16), bu = load<i32>(k, 20);
  const vk = i32x4.splat(ky), vrv = i32x4.splat(rv), vgu = i32x4.splat(gu), vgv = i32x4.splat(gv);
  const vbu = i32x4.splat(bu), mid = v128.load(528), mask = v128.load(544);
  const start = i32x4.splat((1 << 19) - offset * ky);
  for (let row: usize = 0; row < height; row++) {
    const luma = x + row * width, chroma = x + width * height + (row >> 1) * width;
    let i: usize = 0;
    for (; i + 16 <= width; i += 16, y += 48) {
      const l = v128.load(luma + i), uv = v128.load(chroma + i);
      const u = i16x8.sub(v128.and(uv, mask), mid), v = i16x8.sub(i16x8.shr_u(uv, 8), mid);
      const u0 = i32x4.extend_low_i16x8_s(u), u1 = i32x4.extend_high_i16x8_s(u);
      const v0 = i32x4.extend_low_i16x8_s(v), v1 = i32x4.extend_high_i16x8_s(v);
      const h0 = i16x8.extend_low_i8x16_u(l), h1 = i16x8.extend_high_i8x16_u(l);
      const l0 = i32x4.add(i32x4.mul(i32x4.extend_low_i16x8_u(h0), vk), start);
      const l1 = i32x4.add(i32x4.mul(i32x4.extend_high_i16x8_u(h0), vk), start);
      const l2 = i32x4.add(i32x4.mul(i32x4.extend_low_i16x8_u(h1), vk), start);
      const l3 = i32x4.add(i32x4.mul(i32x4.extend_high_i16x8_u(h1), vk), start);
      const r0 = i32x4.mul(v0, vrv), r1 = i32x4.mul(v1, vrv);
      const g0 = i32x4.add(i32x4.mul(u0, vgu), i32x4.mul(v0, vgv));
      const g1 = i32x4.add(i32x4.mul(u1, vgu), i32x4.mul(v1, vgv));
      const b0 = i32x4.mul(u0, vbu), b1 = i32x4.mul(u1, vbu);
      const r = bytes(low(l0, r0), high(l1, r0), low(l2, r1), high(l3, r1));
      const g = bytes(low(l0, g0), high(l1, g0), low(l2, g1), high(l3, g1));
      const b = bytes(low(l0, b0), high(l1, b0), low(l2, b1), high(l3, b1));
      if (swap) interleave(y, b, g, r);
      else interleave(y, r, g, b);
    }
    for (; i < width; i++, y += 3) {
      const l = (<i32>load<u8>(luma + i) - offset) * ky + (1 << 19), p = chroma + (i & ~1);
      const u = <i32>load<u8>(p) - 128, v = <i32>load<u8>(p, 1) - 128;
      const r = byte(l + v * rv), b = byte(l + u * bu);
      store<u8>(y, swap ? b : r);
      store<u8>(y, byte(l + u * gu + v * gv), 1);
      store<u8>(y, swap ? r : b, 2);
    }
  }
}

// flip: 0x80 in every byte takes 128 off (as int8), 0 leaves bytes.
export function nv12ToYuv444(x: usize, y: usize, width: usize, height: usize, flip: i32): void {
  const f = i8x16.splat(<i8>flip);
  for (let row: usize = 0; row < height; row++) {
    const luma = x + row * width, chroma = x + width * height + (row >> 1) * width;
    let i: usize = 0;
    for (; i + 16 <= width; i += 16, y += 48) {
      const uv = v128.xor(v128.load(chroma + i), f);
      const u = i8x16.shuffle(uv, uv, 0, 0, 2, 2, 4, 4, 6, 6, 8, 8, 10, 10, 12, 12, 14, 14);
      const v = i8x16.shuffle(uv, uv, 1, 1, 3, 3, 5, 5, 7, 7, 9, 9, 11, 11, 13, 13, 15, 15);
      interleave(y, v128.xor(v128.load(luma + i), f), u, v);
    }
    for (; i < width; i++, y += 3) {
      const p = chroma + (i & ~1);
      store<u8>(y, load<u8>(luma + i) ^ <u8>flip);
      store<u8>(y, load<u8>(p) ^ <u8>flip, 1);
      store<u8>(y, load<u8>(p, 1) ^ <u8>flip, 2);
    }
  }
}

// uint8 minus 128 as int8, and back.
export function flipSign(x: usize, y: usize, n: usize): void {
  const f = i8x16.splat(-128);
  let i: usize = 0;
  for (; i + 16 <= n; i += 16) v128.store(y + i, v128.xor(v128.load(x + i), f));
  for (; i < n; i++) store<u8>(y + i, load<u8>(x + i) ^ 0x80);
}
