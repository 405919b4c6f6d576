// Reductions over the middle of [outer][reduce][inner].
import { clamp64, get, half, set } from "./common";

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
        const off = <i64>reduce * xz, at = o * inner + i;
        set(y, at, yt, <i32>clamp64((((<i64>i32x4.extract_lane(a, 0) - off) * m + r) >> s) + yz, lo, hi));
        set(y, at + 1, yt, <i32>clamp64((((<i64>i32x4.extract_lane(a, 1) - off) * m + r) >> s) + yz, lo, hi));
        set(y, at + 2, yt, <i32>clamp64((((<i64>i32x4.extract_lane(a, 2) - off) * m + r) >> s) + yz, lo, hi));
        set(y, at + 3, yt, <i32>clamp64((((<i64>i32x4.extract_lane(a, 3) - off) * m + r) >> s) + yz, lo, hi));
        set(y, at + 4, yt, <i32>clamp64((((<i64>i32x4.extract_lane(b, 0) - off) * m + r) >> s) + yz, lo, hi));
        set(y, at + 5, yt, <i32>clamp64((((<i64>i32x4.extract_lane(b, 1) - off) * m + r) >> s) + yz, lo, hi));
        set(y, at + 6, yt, <i32>clamp64((((<i64>i32x4.extract_lane(b, 2) - off) * m + r) >> s) + yz, lo, hi));
        set(y, at + 7, yt, <i32>clamp64((((<i64>i32x4.extract_lane(b, 3) - off) * m + r) >> s) + yz, lo, hi));
      }
    }
    for (; i < inner; i++) {
      let acc: i64 = 0;
      for (let k: usize = 0; k < reduce; k++) acc += <i64>get(x, (o * reduce + k) * inner + i, xt) - xz;
      set(y, o * inner + i, yt, <i32>clamp64(((acc * m + r) >> s) + yz, lo, hi));
    }
  }
}

// Maximum (or minimum) over the middle dimension.
export function reduceExtreme(
  t: i32, x: usize, y: usize, outer: usize, reduce: usize, inner: usize, minimum: i32,
): void {
  for (let o: usize = 0; o < outer; o++) {
    for (let i: usize = 0; i < inner; i++) {
      let best = get(x, o * reduce * inner + i, t);
      for (let k: usize = 1; k < reduce; k++) {
        const v = get(x, (o * reduce + k) * inner + i, t);
        if (minimum ? v < best : v > best) best = v;
      }
      set(y, o * inner + i, t, best);
    }
  }
}

// Index of the first (or last) maximum (or minimum); int32 out.
export function argExtreme(
  t: i32, x: usize, y: usize, outer: usize, reduce: usize, inner: usize, minimum: i32, last: i32,
): void {
  for (let o: usize = 0; o < outer; o++) {
    for (let i: usize = 0; i < inner; i++) {
      let best = get(x, o * reduce * inner + i, t), index: i32 = 0;
      for (let k: usize = 1; k < reduce; k++) {
        let v = get(x, (o * reduce + k) * inner + i, t);
        const better = minimum ? v < best : v > best;
        if (better || (last && v == best)) {
          best = v;
          index = <i32>k;
        }
      }
      store<i32>(y + ((o * inner + i) << 2), index);
    }
  }
}

// Softmax of docs/arithmetic.md section 9; E: 256 int16, R: 256 int16-range values held as uint16 (R[0] = 32768).
export function softmax(
  yt: i32, x: usize, y: usize, outer: usize, reduce: usize, inner: usize, E: usize, R: usize,
  h: i32, lo: i32, hi: i32,
): void {
  for (let o: usize = 0; o < outer; o++) {
    for (let i: usize = 0; i < inner; i++) {
      const base = o * reduce * inner + i;
      let top: i32 = -128;
      for (let k: usize = 0; k < reduce; k++) {
        const v = <i32>load<i8>(x + base + k * inner);
        if (v > top) top = v;
      }
      const e0 = E + ((255 - top) << 1);
      let S: u64 = 0;
      for (let k: usize = 0; k < reduce; k++) {
        S += <u64>load<i16>(e0 + (<i32>load<i8>(x + base + k * inner) << 1));
      }
      const k2 = 63 - <i64>clz<u64>(S);
      const r = <i64>load<u16>(R + (<usize>(((S << 8) >> k2) - 256) << 1));
      const sh = k2 + h, rnd = half(sh);
      for (let k: usize = 0; k < reduce; k++) {
        const e = <i64>load<i16>(e0 + (<i32>load<i8>(x + base + k * inner) << 1));
        set(y, base + k * inner, yt, <i32>clamp64((e * r + rnd) >> sh, lo, hi));
      }
    }
  }
}
