// Vector forms of the elementwise kernels. Each handles a run of contiguous elements and returns how many it did;
// the scalar loop beside it does the rest.

// @ts-ignore: decorator
@inline
function narrow16(v0: v128, v1: v128, z: v128): v128 {
  return i16x8.add_sat_s(i16x8.narrow_i32x4_s(v0, v1), z);
}

// @ts-ignore: decorator
@inline
function dotShift(p: v128, m: v128, c: v128, s: i32): v128 {
  return i32x4.shr_s(i32x4.add(i32x4.dot_i16x8_s(p, m), c), s);
}

// int8 add: (a m1 + b m2 + c) >> s, c = rounding minus the zero points' share; needs |m| < 2^15, s <= 30.
// A zero step repeats one element.
export function addRun8(
  a: usize, aStep: isize, b: usize, bStep: isize, y: usize, n: isize,
  m1: i32, m2: i32, c: i32, s: i32, yz: i32, lo: i32, hi: i32,
): isize {
  const m = i32x4.splat((m1 & 0xffff) | (m2 << 16)), cs = i32x4.splat(c), z = i16x8.splat(<i16>yz);
  const low = i8x16.splat(<i8>lo), high = i8x16.splat(<i8>hi);
  let va = i8x16.splat(load<i8>(a)), vb = i8x16.splat(load<i8>(b));
  let i: isize = 0;
  for (; i + 16 <= n; i += 16) {
    if (aStep) va = v128.load(a + i);
    if (bStep) vb = v128.load(b + i);
    const p = i8x16.shuffle(va, vb, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const q = i8x16.shuffle(va, vb, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    const u = narrow16(
      dotShift(i16x8.extend_low_i8x16_s(p), m, cs, s), dotShift(i16x8.extend_high_i8x16_s(p), m, cs, s), z);
    const v = narrow16(
      dotShift(i16x8.extend_low_i8x16_s(q), m, cs, s), dotShift(i16x8.extend_high_i8x16_s(q), m, cs, s), z);
    v128.store(y + i, i8x16.min_s(i8x16.max_s(i8x16.narrow_i16x8_s(u, v), low), high));
  }
  return i;
}

// @ts-ignore: decorator
@inline
function halved(p: v128, m: v128, r: v128, s: i32): v128 {
  return i32x4.shr_s(i32x4.add(i32x4.shr_s(i32x4.dot_i16x8_s(p, m), 1), r), s);
}

// int16 add without zero points, int8 or int16 output; |m| < 2^15, 2 <= s <= 31. The sum of products fits int32; its
// half leaves room for the rounding term: floor((v + 2^(s-1)) / 2^s) = floor((floor(v / 2) + 2^(s-2)) / 2^(s-1)).
export function addRun16(
  a: usize, aStep: isize, b: usize, bStep: isize, y: usize, yt: i32, n: isize,
  m1: i32, m2: i32, s: i32, yz: i32, lo: i32, hi: i32,
): isize {
  const m = i32x4.splat((m1 & 0xffff) | (m2 << 16)), r = i32x4.splat(1 << (s - 2)), z = i32x4.splat(yz);
  const low = i32x4.splat(lo), high = i32x4.splat(hi);
  let va = i16x8.splat(load<i16>(a)), vb = i16x8.splat(load<i16>(b));
  let i: isize = 0;
  for (; i + 8 <= n; i += 8) {
    if (aStep) va = v128.load(a + (i << 1));
    if (bStep) vb = v128.load(b + (i << 1));
    let u = i32x4.add(halved(i16x8.shuffle(va, vb, 0, 8, 1, 9, 2, 10, 3, 11), m, r, s - 1), z);
    let v = i32x4.add(halved(i16x8.shuffle(va, vb, 4, 12, 5, 13, 6, 14, 7, 15), m, r, s - 1), z);
    u = i32x4.min_s(i32x4.max_s(u, low), high);
    v = i32x4.min_s(i32x4.max_s(v, low), high);
    const w = i16x8.narrow_i32x4_s(u, v);
    if (yt == 2) v128.store(y + (i << 1), w);
    else v128.store64_lane(y + i, i8x16.narrow_i16x8_s(w, w), 0);
  }
  return i;
}

// A factor m >> s as (p f + r) >> 32 >> t of 64-bit products: s up to 32 moves into f, the rest stays as t.
// @ts-ignore: decorator
@inline
export function wideFactor(m: i64, s: i64): i32 {
  return <i32>(s <= 32 ? m << (32 - s) : m);
}

// @ts-ignore: decorator
@inline
export function wideRounding(s: i64): i64 {
  return s <= 32 ? 0x80000000 : (<i64>1) << (s - 1);
}

// Whether (p f + r) fits for p of 31 bits: f must fit int32.
// @ts-ignore: decorator
@inline
export function wideFits(m: i64, s: i64): bool {
  return m == 0 || (s >= 16 && m < 32768 && m > -32768);
}

// @ts-ignore: decorator
@inline
export function high4(p: v128, m: v128, r: v128): v128 {
  return i32x4.shuffle(
    i64x2.add(i64x2.extmul_low_i32x4_s(p, m), r), i64x2.add(i64x2.extmul_high_i32x4_s(p, m), r), 1, 3, 5, 7);
}

// int8 mul: products and their multiples by m fit int32; as in addRun16 half of them leaves room for the rounding term.
// |m| < 2^15, 2 <= s <= 32.
export function mulRun8(
  a: usize, aStep: isize, b: usize, bStep: isize, y: usize, n: isize,
  az: i32, bz: i32, m1: i32, s: i32, yz: i32, lo: i32, hi: i32,
): isize {
  const m = i32x4.splat(m1), r = i32x4.splat(1 << (s - 2)), z = i16x8.splat(<i16>yz);
  const za = i16x8.splat(<i16>az), zb = i16x8.splat(<i16>bz);
  const low = i8x16.splat(<i8>lo), high = i8x16.splat(<i8>hi);
  let va = i16x8.sub(i16x8.splat(<i16>load<i8>(a)), za), vb = i16x8.sub(i16x8.splat(<i16>load<i8>(b)), zb);
  let i: isize = 0;
  for (; i + 8 <= n; i += 8) {
    if (aStep) va = i16x8.sub(v128.load_ext<i8>(a + i), za);
    if (bStep) vb = i16x8.sub(v128.load_ext<i8>(b + i), zb);
    const p = i32x4.mul(i32x4.extmul_low_i16x8_s(va, vb), m), q = i32x4.mul(i32x4.extmul_high_i16x8_s(va, vb), m);
    const u = narrow16(
      i32x4.shr_s(i32x4.add(i32x4.shr_s(p, 1), r), s - 1), i32x4.shr_s(i32x4.add(i32x4.shr_s(q, 1), r), s - 1), z);
    v128.store64_lane(y + i, i8x16.min_s(i8x16.max_s(i8x16.narrow_i16x8_s(u, u), low), high), 0);
  }
  return i;
}

// int16 mul without zero points of a and b, int8 or int16 output (yt 0 or 2).
export function mulRun16(
  a: usize, aStep: isize, b: usize, bStep: isize, y: usize, yt: i32, n: isize,
  f: i32, round: i64, t: i32, yz: i32, lo: i32, hi: i32,
): isize {
  const m = i32x4.splat(f), r = i64x2.splat(round), z = i32x4.splat(yz), low = i32x4.splat(lo), high = i32x4.splat(hi);
  let va = i16x8.splat(load<i16>(a)), vb = i16x8.splat(load<i16>(b));
  let i: isize = 0;
  for (; i + 8 <= n; i += 8) {
    if (aStep) va = v128.load(a + (i << 1));
    if (bStep) vb = v128.load(b + (i << 1));
    let u = i32x4.add(i32x4.shr_s(high4(i32x4.extmul_low_i16x8_s(va, vb), m, r), t), z);
    let v = i32x4.add(i32x4.shr_s(high4(i32x4.extmul_high_i16x8_s(va, vb), m, r), t), z);
    u = i32x4.min_s(i32x4.max_s(u, low), high);
    v = i32x4.min_s(i32x4.max_s(v, low), high);
    const w = i16x8.narrow_i32x4_s(u, v);
    if (yt == 2) v128.store(y + (i << 1), w);
    else v128.store64_lane(y + i, i8x16.narrow_i16x8_s(w, w), 0);
  }
  return i;
}

// int16 maximum (op 2) or minimum.
export function extremeRun16(
  op: i32, a: usize, aStep: isize, b: usize, bStep: isize, y: usize, n: isize, lo: i32, hi: i32,
): isize {
  const low = i16x8.splat(<i16>lo), high = i16x8.splat(<i16>hi);
  let va = i16x8.splat(load<i16>(a)), vb = i16x8.splat(load<i16>(b));
  let i: isize = 0;
  for (; i + 8 <= n; i += 8) {
    if (aStep) va = v128.load(a + (i << 1));
    if (bStep) vb = v128.load(b + (i << 1));
    const v = op == 2 ? i16x8.max_s(va, vb) : i16x8.min_s(va, vb);
    v128.store(y + (i << 1), i16x8.min_s(i16x8.max_s(v, low), high));
  }
  return i;
}

// int32 to int8, int16 or int32 by a wide factor; x has zero point 0.
export function requantRun32(
  yt: i32, x: usize, y: usize, n: usize, f: i32, round: i64, t: i32, yz: i32, lo: i32, hi: i32,
): usize {
  const m = i32x4.splat(f), r = i64x2.splat(round), z = i32x4.splat(yz), low = i32x4.splat(lo), high = i32x4.splat(hi);
  let i: usize = 0;
  for (; i + 8 <= n; i += 8) {
    let u = i32x4.add(i32x4.shr_s(high4(v128.load(x + (i << 2)), m, r), t), z);
    let v = i32x4.add(i32x4.shr_s(high4(v128.load(x + (i << 2), 16), m, r), t), z);
    u = i32x4.min_s(i32x4.max_s(u, low), high);
    v = i32x4.min_s(i32x4.max_s(v, low), high);
    if (yt == 3) {
      v128.store(y + (i << 2), u);
      v128.store(y + (i << 2), v, 16);
      continue;
    }
    const w = i16x8.narrow_i32x4_s(u, v);
    if (yt == 2) v128.store(y + (i << 1), w);
    else v128.store64_lane(y + i, i8x16.narrow_i16x8_s(w, w), 0);
  }
  return i;
}

// PRelu of 8 int8 or int16 elements (xt, yt 0 or 2): (v 2^k f + r) >> 32 with one factor for v >= 0, 8 for v < 0.
// @ts-ignore: decorator
@inline
export function prelu8(
  xt: i32, yt: i32, x: usize, y: usize, k: i32, zx: v128, pos: v128, neg0: v128, neg1: v128, r: v128, z: v128, low: v128, high: v128,
): void {
  const v = i16x8.sub(xt == 0 ? v128.load_ext<i8>(x) : v128.load(x), zx);
  const a = i32x4.shl(i32x4.extend_low_i16x8_s(v), k), b = i32x4.shl(i32x4.extend_high_i16x8_s(v), k);
  let p = i32x4.add(high4(a, v128.bitselect(neg0, pos, i32x4.shr_s(a, 31)), r), z);
  let q = i32x4.add(high4(b, v128.bitselect(neg1, pos, i32x4.shr_s(b, 31)), r), z);
  p = i32x4.min_s(i32x4.max_s(p, low), high);
  q = i32x4.min_s(i32x4.max_s(q, low), high);
  const w = i16x8.narrow_i32x4_s(p, q);
  if (yt == 0) v128.store64_lane(y, i8x16.narrow_i16x8_s(w, w), 0);
  else v128.store(y, w);
}

// int8 maximum (op 2) or minimum.
export function extremeRun8(
  op: i32, a: usize, aStep: isize, b: usize, bStep: isize, y: usize, n: isize, lo: i32, hi: i32,
): isize {
  const low = i8x16.splat(<i8>lo), high = i8x16.splat(<i8>hi);
  let va = i8x16.splat(load<i8>(a)), vb = i8x16.splat(load<i8>(b));
  let i: isize = 0;
  for (; i + 16 <= n; i += 16) {
    if (aStep) va = v128.load(a + i);
    if (bStep) vb = v128.load(b + i);
    const v = op == 2 ? i8x16.max_s(va, vb) : i8x16.min_s(va, vb);
    v128.store(y + i, i8x16.min_s(i8x16.max_s(v, low), high));
  }
  return i;
}

// Requantize of int8, uint8 or int16 (zero point 0) to int8 or int16: (x m + c) >> s with s <= 30.
export function requantRun(
  xt: i32, yt: i32, x: usize, y: usize, n: usize, m: i32, c: i32, s: i32, yz: i32, lo: i32, hi: i32,
): usize {
  const ms = i16x8.splat(<i16>m), cs = i32x4.splat(c);
  const low = i32x4.splat(lo), high = i32x4.splat(hi), z = i32x4.splat(yz);
  let i: usize = 0;
  for (; i + 8 <= n; i += 8) {
    const v = xt == 0
      ? v128.load_ext<i8>(x + i)
      : xt == 1
      ? v128.load_ext<u8>(x + i)
      : v128.load(x + (i << 1));
    let p = i32x4.add(i32x4.shr_s(i32x4.add(i32x4.extmul_low_i16x8_s(v, ms), cs), s), z);
    let q = i32x4.add(i32x4.shr_s(i32x4.add(i32x4.extmul_high_i16x8_s(v, ms), cs), s), z);
    p = i32x4.min_s(i32x4.max_s(p, low), high);
    q = i32x4.min_s(i32x4.max_s(q, low), high);
    const w = i16x8.narrow_i32x4_s(p, q);
    if (yt == 0) v128.store64_lane(y + i, i8x16.narrow_i16x8_s(w, w), 0);
    else v128.store(y + (i << 1), w);
  }
  return i;
}
