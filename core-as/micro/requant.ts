// Requantization inside a tile.

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
