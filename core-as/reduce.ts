// Reductions over the middle of [outer][reduce][inner].
import { clamp64, get, half, set } from "./common";

// @ts-ignore: decorator
@inline
function last(acc: i64, m: i64, r: i64, s: i64, yz: i32, lo: i32, hi: i32): i32 {
  return <i32>clamp64(((acc * m + r) >> s) + yz, lo, hi);
}

// The ends of 8 sums less `off`.
function eight(
  a: v128, b: v128, off: i64, m: i64, r: i64, s: i64, yz: i32, lo: i32, hi: i32, y: usize, at: usize, yt: i32,
): void {
  set(y, at, yt, last(<i64>i32x4.extract_lane(a, 0) - off, m, r, s, yz, lo, hi));
  set(y, at + 1, yt, last(<i64>i32x4.extract_lane(a, 1) - off, m, r, s, yz, lo, hi));
  set(y, at + 2, yt, last(<i64>i32x4.extract_lane(a, 2) - off, m, r, s, yz, lo, hi));
  set(y, at + 3, yt, last(<i64>i32x4.extract_lane(a, 3) - off, m, r, s, yz, lo, hi));
  set(y, at + 4, yt, last(<i64>i32x4.extract_lane(b, 0) - off, m, r, s, yz, lo, hi));
  set(y, at + 5, yt, last(<i64>i32x4.extract_lane(b, 1) - off, m, r, s, yz, lo, hi));
  set(y, at + 6, yt, last(<i64>i32x4.extract_lane(b, 2) - off, m, r, s, yz, lo, hi));
  set(y, at + 7, yt, last(<i64>i32x4.extract_lane(b, 3) - off, m, r, s, yz, lo, hi));
}

export function reduceSum(
  xt: i32, yt: i32, x: usize, y: usize, outer: usize, reduce: usize, inner: usize,
  m: i32, s: i32, xz: i32, yz: i32, lo: i32, hi: i32,
): void {
  const r = half(s);
  for (let o: usize = 0; o < outer; o++) {
    let i: usize = 0;
    if (xt == 0 && reduce <= 8388608) {
      if (inner == 1) {
        // One line of contiguous int8.
        const p = x + o * reduce;
        let v = i32x4.splat(0), k: usize = 0;
        for (; k + 16 <= reduce; k += 16) {
          v = i32x4.add(v, i32x4.extadd_pairwise_i16x8_s(i16x8.extadd_pairwise_i8x16_s(v128.load(p + k))));
        }
        let sum = i32x4.extract_lane(v, 0) + i32x4.extract_lane(v, 1) + i32x4.extract_lane(v, 2) +
          i32x4.extract_lane(v, 3);
        for (; k < reduce; k++) sum += <i32>load<i8>(p + k);
        const acc = <i64>sum - <i64>reduce * xz;
        set(y, o, yt, <i32>clamp64(((acc * m + r) >> s) + yz, lo, hi));
        continue;
      }
      for (; i + 8 <= inner; i += 8) {
        let p = x + o * reduce * inner + i;
        let a = i32x4.splat(0), b = a;
        let k: usize = 0;
        while (k < reduce) {
          // 128 additions of int8 fit int16.
          const end = min<usize>(reduce, k + 128);
          let h = i16x8.splat(0);
          for (; k < end; k++, p += inner) h = i16x8.add(h, v128.load_ext<i8>(p));
          a = i32x4.add(a, i32x4.extend_low_i16x8_s(h));
          b = i32x4.add(b, i32x4.extend_high_i16x8_s(h));
        }
        eight(a, b, <i64>reduce * xz, m, r, s, yz, lo, hi, y, o * inner + i, yt);
      }
    }
    if (xt == 2 && reduce < 65536) {
      // Sums of 65535 int16 fit int32.
      if (inner == 1) {
        const p = x + (o * reduce << 1), ones = v128.load(256);
        let v = i32x4.splat(0), k: usize = 0;
        for (; k + 8 <= reduce; k += 8) v = i32x4.add(v, i32x4.dot_i16x8_s(v128.load(p + (k << 1)), ones));
        let sum = <i64>i32x4.extract_lane(v, 0) + i32x4.extract_lane(v, 1) + i32x4.extract_lane(v, 2) +
          i32x4.extract_lane(v, 3);
        for (; k < reduce; k++) sum += <i64>load<i16>(p + (k << 1));
        set(y, o, yt, <i32>clamp64((((sum - <i64>reduce * xz) * m + r) >> s) + yz, lo, hi));
        continue;
      }
      for (; i + 8 <= inner; i += 8) {
        let p = x + (o * reduce * inner + i << 1);
        let a = i32x4.splat(0), b = a;
        for (let k: usize = 0; k < reduce; k++, p += inner << 1) {
          const v = v128.load(p);
          a = i32x4.add(a, i32x4.extend_low_i16x8_s(v));
          b = i32x4.add(b, i32x4.extend_high_i16x8_s(v));
        }
        eight(a, b, <i64>reduce * xz, m, r, s, yz, lo, hi, y, o * inner + i, yt);
      }
    }
    for (; i < inner; i++) {
      let acc: i64 = 0;
      for (let k: usize = 0; k < reduce; k++) acc += <i64>get(x, (o * reduce + k) * inner + i, xt) - xz;
      set(y, o * inner + i, yt, <i32>clamp64(((acc * m + r) >> s) + yz, lo, hi));
    }
  }
}
