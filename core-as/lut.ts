// Look-up tables.

// @ts-ignore: decorator
@inline
function entry8(table: usize, w: u64, i: u64): u64 {
  return <u64>load<u8>(table + <usize>((w >> (i << 3)) & 255)) << (i << 3);
}

// Eight elements are read and written as one word.
export function lut8(x: usize, y: usize, table: usize, n: usize): void {
  let i: usize = 0;
  for (; i + 8 <= n; i += 8) {
    const w = load<u64>(x + i);
    store<u64>(
      y + i,
      entry8(table, w, 0) | entry8(table, w, 1) | entry8(table, w, 2) | entry8(table, w, 3) |
        entry8(table, w, 4) | entry8(table, w, 5) | entry8(table, w, 6) | entry8(table, w, 7));
  }
  for (; i < n; i++) store<u8>(y + i, load<u8>(table + <usize>load<u8>(x + i)));
}

// @ts-ignore: decorator
@inline
function entry16(table: usize, w: u32, i: u32): u64 {
  return <u64>load<u16>(table + <usize>(((w >> (i << 3)) & 255) << 1)) << (<u64>i << 4);
}

export function lut8to16(x: usize, y: usize, table: usize, n: usize): void {
  let i: usize = 0;
  for (; i + 4 <= n; i += 4) {
    const w = load<u32>(x + i);
    store<u64>(y + (i << 1), entry16(table, w, 0) | entry16(table, w, 1) | entry16(table, w, 2) | entry16(table, w, 3));
  }
  for (; i < n; i++) {
    store<u16>(y + (i << 1), load<u16>(table + (<usize>load<u8>(x + i) << 1)));
  }
}

// Four elements: neighbouring entries are one 32-bit load, which a pairwise dot blends.
// @ts-ignore: decorator
@inline
function blend(u: v128, table: usize): v128 {
  const r = v128.and(u, i32x4.splat(127)), k = i32x4.shl(i32x4.shr_u(u, 7), 1);
  let e = v128.load_zero<u32>(table + <usize>i32x4.extract_lane(k, 0));
  e = v128.load32_lane(table + <usize>i32x4.extract_lane(k, 1), e, 1);
  e = v128.load32_lane(table + <usize>i32x4.extract_lane(k, 2), e, 2);
  e = v128.load32_lane(table + <usize>i32x4.extract_lane(k, 3), e, 3);
  // (128 - r) in the low half, r in the high half.
  const w = i32x4.add(i32x4.sub(i32x4.shl(r, 16), r), i32x4.splat(128));
  return i32x4.shr_s(i32x4.add(i32x4.dot_i16x8_s(e, w), i32x4.splat(64)), 7);
}

// 513 int16 entries, linear between them.
export function lut16(x: usize, y: usize, table: usize, n: usize): void {
  const middle = i32x4.splat(32768);
  let i: usize = 0;
  for (; i + 8 <= n; i += 8) {
    const v = v128.load(x + (i << 1));
    v128.store(
      y + (i << 1),
      i16x8.narrow_i32x4_s(
        blend(i32x4.add(i32x4.extend_low_i16x8_s(v), middle), table),
        blend(i32x4.add(i32x4.extend_high_i16x8_s(v), middle), table)));
  }
  for (; i < n; i++) {
    const u = <i32>load<i16>(x + (i << 1)) + 32768;
    const p = table + (<usize>(u >> 7) << 1), r = u & 127;
    const v = (<i32>load<i16>(p) * (128 - r) + <i32>load<i16>(p, 2) * r + 64) >> 7;
    store<i16>(y + (i << 1), <i16>v);
  }
}
