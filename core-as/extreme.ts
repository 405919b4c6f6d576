// Maxima, minima and their places over the middle of [outer][reduce][inner].

// The order of minima is that of maxima of complements.
// @ts-ignore: decorator
@inline
function most<T>(a: v128, b: v128): v128 {
  if (sizeof<T>() == 1) return isSigned<T>() ? i8x16.max_s(a, b) : i8x16.max_u(a, b);
  if (sizeof<T>() == 2) return i16x8.max_s(a, b);
  return i32x4.max_s(a, b);
}

// @ts-ignore: decorator
@inline
function at<T>(p: usize, flip: i32): i32 {
  return <i32>load<T>(p) ^ (isSigned<T>() ? flip : flip & 255);
}

function extreme<T>(x: usize, y: usize, outer: usize, reduce: usize, inner: usize, flip: i32): void {
  const size: usize = sizeof<T>(), lanes: usize = 16 / size, mask = i32x4.splat(flip);
  for (let o: usize = 0; o < outer; o++) {
    const base = x + o * reduce * inner * size, out = y + o * inner * size;
    let i: usize = 0;
    if (inner >= lanes) {
      for (; i < inner; i += lanes) {
        // The last vector overlaps the one before.
        const first = min<usize>(i, inner - lanes) * size;
        let p = base + first, best = v128.xor(v128.load(p), mask);
        for (let k: usize = 1; k < reduce; k++) {
          p += inner * size;
          best = most<T>(best, v128.xor(v128.load(p), mask));
        }
        v128.store(out + first, v128.xor(best, mask));
      }
      continue;
    }
    if (inner == 1 && reduce >= lanes) {
      let best = v128.xor(v128.load(base), mask), k: usize = lanes;
      for (; k + lanes <= reduce; k += lanes) best = most<T>(best, v128.xor(v128.load(base + k * size), mask));
      best = most<T>(best, v128.xor(v128.load(base + (reduce - lanes) * size), mask));
      best = most<T>(best, i64x2.shuffle(best, best, 1, 0));
      best = most<T>(best, i32x4.shuffle(best, best, 1, 0, 3, 2));
      if (sizeof<T>() <= 2) best = most<T>(best, i16x8.shuffle(best, best, 1, 0, 3, 2, 5, 4, 7, 6));
      if (sizeof<T>() == 1) {
        best = most<T>(best, i8x16.shuffle(best, best, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14));
      }
      best = v128.xor(best, mask);
      if (sizeof<T>() == 1) v128.store8_lane(out, best, 0);
      else if (sizeof<T>() == 2) v128.store16_lane(out, best, 0);
      else v128.store32_lane(out, best, 0);
      continue;
    }
    for (; i < inner; i++) {
      let p = base + i * size, best = at<T>(p, flip);
      for (let k: usize = 1; k < reduce; k++) {
        p += inner * size;
        best = max<i32>(best, at<T>(p, flip));
      }
      store<T>(out + i * size, <T>(best ^ flip));
    }
  }
}

// Maximum (or minimum) over the middle dimension.
export function reduceExtreme(
  t: i32, x: usize, y: usize, outer: usize, reduce: usize, inner: usize, minimum: i32,
): void {
  const flip = minimum ? -1 : 0;
  if (t == 0) extreme<i8>(x, y, outer, reduce, inner, flip);
  else if (t == 1) extreme<u8>(x, y, outer, reduce, inner, flip);
  else if (t == 2) extreme<i16>(x, y, outer, reduce, inner, flip);
  else extreme<i32>(x, y, outer, reduce, inner, flip);
}

// Eight elements as int16 (int32: four), complemented for minima.
// @ts-ignore: decorator
@inline
function wide<T>(p: usize, mask: v128): v128 {
  if (sizeof<T>() == 1) return v128.xor(isSigned<T>() ? v128.load_ext<i8>(p) : v128.load_ext<u8>(p), mask);
  return v128.xor(v128.load(p), mask);
}

// @ts-ignore: decorator
@inline
function over<T>(a: v128, b: v128): v128 {
  return sizeof<T>() == 4 ? i32x4.gt_s(a, b) : i16x8.gt_s(a, b);
}

// @ts-ignore: decorator
@inline
function count<T>(k: usize): v128 {
  return sizeof<T>() == 4 ? i32x4.splat(<i32>k) : i16x8.splat(<i16>k);
}

function places<T>(x: usize, y: usize, outer: usize, reduce: usize, inner: usize, flip: i32, last: i32): void {
  const size: usize = sizeof<T>(), lanes: usize = sizeof<T>() == 4 ? 4 : 8, mask = i32x4.splat(flip);
  for (let o: usize = 0; o < outer; o++) {
    const base = x + o * reduce * inner * size, out = y + (o * inner << 2);
    let i: usize = 0;
    // Places fit the lanes; with inner 1 each lane has its own rows of the line.
    if (inner >= lanes && reduce <= 32767) {
      for (; i < inner; i += lanes) {
        const first = min<usize>(i, inner - lanes);
        let p = base + first * size, best = wide<T>(p, mask), place = i32x4.splat(0);
        for (let k: usize = 1; k < reduce; k++) {
          p += inner * size;
          const v = wide<T>(p, mask);
          // For the last of equal ones: not smaller.
          const better = last ? v128.not(over<T>(best, v)) : over<T>(v, best);
          place = v128.bitselect(count<T>(k), place, better);
          best = v128.bitselect(v, best, better);
        }
        if (sizeof<T>() == 4) v128.store(out + (first << 2), place);
        else {
          v128.store(out + (first << 2), i32x4.extend_low_i16x8_s(place));
          v128.store(out + (first << 2), i32x4.extend_high_i16x8_s(place), 16);
        }
      }
      continue;
    }
    for (; i < inner; i++) {
      let p = base + i * size, best = at<T>(p, flip), index: i32 = 0;
      if (inner == 1 && reduce >= 64) {
        // The extreme first, then its place.
        extreme<T>(p, out, 1, reduce, 1, flip);
        const found = load<T>(out);
        if (last) {
          index = <i32>reduce - 1;
          while (load<T>(p + <usize>index * size) != found) index--;
        } else while (load<T>(p + <usize>index * size) != found) index++;
        store<i32>(out, index);
        continue;
      }
      for (let k: usize = 1; k < reduce; k++) {
        p += inner * size;
        const v = at<T>(p, flip);
        if (v > best || (last && v == best)) {
          best = v;
          index = <i32>k;
        }
      }
      store<i32>(out + (i << 2), index);
    }
  }
}

// Index of the first (or last) maximum (or minimum); int32 out.
export function argExtreme(
  t: i32, x: usize, y: usize, outer: usize, reduce: usize, inner: usize, minimum: i32, last: i32,
): void {
  const flip = minimum ? -1 : 0;
  if (t == 0) places<i8>(x, y, outer, reduce, inner, flip, last);
  else if (t == 1) places<u8>(x, y, outer, reduce, inner, flip, last);
  else if (t == 2) places<i16>(x, y, outer, reduce, inner, flip, last);
  else places<i32>(x, y, outer, reduce, inner, flip, last);
}
