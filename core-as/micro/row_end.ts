// The end of a depthwise block: 4 outputs (the first `count` of them if less) x 4 channels. Its constants are loaded once per plane by the caller.
import { fused, rounded } from "./requant";
import { finishTile } from "./finish";

// @ts-ignore: decorator
@inline
export function rowEnd(
  c0: v128, c1: v128, c2: v128, c3: v128, y: usize, yCol: usize, count: i32,
  m: v128, r: v128, z: v128, lo: v128, hi: v128, k: usize, mode: i32, channels: i32, finish: usize,
): void {
  if (mode == 4) {
    c0 = i16x8.narrow_i32x4_s(rounded(c0, m, r, z), rounded(c1, m, r, z));
    c2 = i16x8.narrow_i32x4_s(rounded(c2, m, r, z), rounded(c3, m, r, z));
    c0 = i8x16.min_s(i8x16.max_s(i8x16.narrow_i16x8_s(c0, c2), lo), hi);
    v128.store32_lane(y, c0, 0);
    if (count >= 4) {
      const y2 = y + yCol + yCol;
      v128.store32_lane(y + yCol, c0, 1);
      v128.store32_lane(y2, c0, 2);
      v128.store32_lane(y2 + yCol, c0, 3);
    } else if (count > 1) {
      v128.store32_lane(y + yCol, c0, 1);
      if (count > 2) v128.store32_lane(y + 2 * yCol, c0, 2);
    }
    return;
  }
  if (mode < 2) {
    c0 = i16x8.add_sat_s(i16x8.narrow_i32x4_s(fused(c0, m, r), fused(c1, m, r)), z);
    c2 = i16x8.add_sat_s(i16x8.narrow_i32x4_s(fused(c2, m, r), fused(c3, m, r)), z);
    if (mode == 0) {
      c0 = i8x16.narrow_i16x8_s(c0, c2);
      c0 = i8x16.min_s(i8x16.max_s(c0, lo), hi);
      v128.store32_lane(y, c0, 0);
      if (count >= 4) {
        const y2 = y + yCol + yCol;
        v128.store32_lane(y + yCol, c0, 1);
        v128.store32_lane(y2, c0, 2);
        v128.store32_lane(y2 + yCol, c0, 3);
      } else if (count > 1) {
        v128.store32_lane(y + yCol, c0, 1);
        if (count > 2) v128.store32_lane(y + 2 * yCol, c0, 2);
      }
    } else {
      c0 = i16x8.min_s(i16x8.max_s(c0, lo), hi);
      c2 = i16x8.min_s(i16x8.max_s(c2, lo), hi);
      v128.store64_lane(y, c0, 0);
      if (count > 1) v128.store64_lane(y + yCol, c0, 1);
      if (count > 2) v128.store64_lane(y + 2 * yCol, c2, 0);
      if (count > 3) v128.store64_lane(y + 3 * yCol, c2, 1);
    }
  } else {
    const tile = k + 128, yo = k + 192;
    v128.store(tile, c0);
    v128.store(tile, c1, 16);
    v128.store(tile, c2, 32);
    v128.store(tile, c3, 48);
    store<u32>(yo, 0);
    store<u32>(yo, <u32>yCol, 4);
    store<u32>(yo, <u32>yCol * 2, 8);
    store<u32>(yo, <u32>yCol * 3, 12);
    finishTile(tile, yo, min<i32>(4, count), channels, 16, y, finish);
  }
}
