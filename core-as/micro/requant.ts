// Requantization inside a tile.

// Four accumulators times the float32 factor m, plus r, rounded once: r is 1.5 * 2^23 plus the zero point, so that the
// integer result stands in the low bits of the sum; z takes the others off. Exact where the multiplication and addition
// are fused, |acc| is at most 2^24, the product at most 2^21 and no product lies halfway between results (floatTables).
// @ts-ignore: decorator
@inline
export function rounded(acc: v128, m: v128, r: v128, z: v128): v128 {
  return i32x4.sub(f32x4.relaxed_madd(f32x4.convert_i32x4_s(acc), m, r), z);
}

// Writes r and z of `rounded` for a zero point.
export function roundedConstants(at: usize, zero: i32): void {
  v128.store(at, f32x4.splat(12582912 + <f32>zero));
  v128.store(at, i32x4.splat(0x4b400000), 16);
}

// Four accumulators times m << (32 - s), plus one half, high words: exact for shifts of 16 to 32.
// @ts-ignore: decorator
@inline
export function fused(acc: v128, m: v128, half: v128): v128 {
  return i32x4.shuffle(
    i64x2.add(i64x2.extmul_low_i32x4_s(acc, m), half),
    i64x2.add(i64x2.extmul_high_i32x4_s(acc, m), half),
    1, 3, 5, 7,
  );
}
