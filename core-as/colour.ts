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

// Sixteen bytes of one colour from luma sums and the chroma sums of the pairs that stand on even and on odd places.
// Lane i of luma vector j is pixel 4 i + j: such vectors need no shuffles, and interleaving puts them right for nothing.
// @ts-ignore: decorator
@inline
function colour(l0: v128, l1: v128, l2: v128, l3: v128, even: v128, odd: v128): v128 {
  return i8x16.narrow_i16x8_u(
    i16x8.narrow_i32x4_s(i32x4.shr_s(i32x4.add(l0, even), 20), i32x4.shr_s(i32x4.add(l1, even), 20)),
    i16x8.narrow_i32x4_s(i32x4.shr_s(i32x4.add(l2, odd), 20), i32x4.shr_s(i32x4.add(l3, odd), 20)));
}

// A mask of interleave for planes in the order of `colour`: pixel p is at 4 (p mod 4) + p / 4.
// @ts-ignore: decorator
@inline
function strided(at: usize): v128 {
  const m = v128.load(at), three = i8x16.splat(3);
  return v128.or(
    v128.and(m, i8x16.splat(-128)),
    v128.or(i8x16.shl(v128.and(m, three), 2), v128.and(i8x16.shr_u(m, 2), three)));
}

// @ts-ignore: decorator
@inline
function pick(a: v128, b: v128, c: v128, ma: v128, mb: v128, mc: v128): v128 {
  return v128.or(v128.or(i8x16.relaxed_swizzle(a, ma), i8x16.relaxed_swizzle(b, mb)), i8x16.relaxed_swizzle(c, mc));
}

// @ts-ignore: decorator
@inline
function byte(v: i32): u8 {
  const b = v >> 20;
  return <u8>(b < 0 ? 0 : b > 255 ? 255 : b);
}

// One row of what is left of the 16s. k as in nv12ToRgb.
function nv12Tail(luma: usize, chroma: usize, y: usize, i: usize, width: usize, k: usize, swap: i32): void {
  const offset = load<i32>(k), ky = load<i32>(k, 4), rv = load<i32>(k, 8), gu = load<i32>(k, 12);
  const gv = load<i32>(k, 16), bu = load<i32>(k, 20);
  for (; i < width; i++) {
    const l = (<i32>load<u8>(luma + i) - offset) * ky + (1 << 19), p = chroma + (i & ~1), o = y + 3 * i;
    const u = <i32>load<u8>(p) - 128, v = <i32>load<u8>(p, 1) - 128;
    const r = byte(l + v * rv), b = byte(l + u * bu);
    store<u8>(o, swap ? b : r);
    store<u8>(o, byte(l + u * gu + v * gv), 1);
    store<u8>(o, swap ? r : b, 2);
  }
}

// k: 6 words: offset, ky, red from V, green from U, green from V, blue from U. swap: BGR. Two rows share their chroma.
export function nv12ToRgb(x: usize, y: usize, width: usize, height: usize, k: usize, swap: i32): void {
  const ky = load<i32>(k, 4), vk = i32x4.splat(ky), start = i32x4.splat((1 << 19) - load<i32>(k) * ky);
  const vrv = v128.load32_splat(k, 8), vgu = v128.load32_splat(k, 12), vgv = v128.load32_splat(k, 16);
  const vbu = v128.load32_splat(k, 20), mid = i32x4.splat(128), low = i32x4.splat(255);
  const first = swap ? 416 : 384, last = swap ? 384 : 416;
  const r0 = strided(first), g0 = strided(400), b0 = strided(last);
  const r1 = strided(first + 48), g1 = strided(448), b1 = strided(last + 48);
  const r2 = strided(first + 96), g2 = strided(496), b2 = strided(last + 96);
  for (let row: usize = 0; row < height; row += 2) {
    const luma = x + row * width, chroma = x + width * height + (row >> 1) * width;
    const y0 = y + 3 * row * width, y1 = y0 + 3 * width;
    let i: usize = 0;
    for (; i + 16 <= width; i += 16) {
      const uv = v128.load(chroma + i);
      const ue = i32x4.sub(v128.and(uv, low), mid), ve = i32x4.sub(v128.and(i32x4.shr_u(uv, 8), low), mid);
      const uo = i32x4.sub(v128.and(i32x4.shr_u(uv, 16), low), mid), vo = i32x4.sub(i32x4.shr_u(uv, 24), mid);
      const re = i32x4.mul(ve, vrv), ro = i32x4.mul(vo, vrv), be = i32x4.mul(ue, vbu), bo = i32x4.mul(uo, vbu);
      const ge = i32x4.add(i32x4.mul(ue, vgu), i32x4.mul(ve, vgv));
      const go = i32x4.add(i32x4.mul(uo, vgu), i32x4.mul(vo, vgv));
      for (let second: usize = 0; second < 2; second++) {
        const l = v128.load(luma + i + (second ? width : 0)), o = (second ? y1 : y0) + 3 * i;
        const l0 = i32x4.add(i32x4.mul(v128.and(l, low), vk), start);
        const l1 = i32x4.add(i32x4.mul(v128.and(i32x4.shr_u(l, 8), low), vk), start);
        const l2 = i32x4.add(i32x4.mul(v128.and(i32x4.shr_u(l, 16), low), vk), start);
        const l3 = i32x4.add(i32x4.mul(i32x4.shr_u(l, 24), vk), start);
        const r = colour(l0, l1, l2, l3, re, ro), g = colour(l0, l1, l2, l3, ge, go);
        const b = colour(l0, l1, l2, l3, be, bo);
        v128.store(o, pick(r, g, b, r0, g0, b0), 0);
        v128.store(o, pick(r, g, b, r1, g1, b1), 16);
        v128.store(o, pick(r, g, b, r2, g2, b2), 32);
      }
    }
    nv12Tail(luma, chroma, y0, i, width, k, swap);
    nv12Tail(luma + width, chroma, y1, i, width, k, swap);
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
