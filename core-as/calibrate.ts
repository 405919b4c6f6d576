// One-pass statistics of float32 tensors. NaN is ignored by the ranges (pmin and pmax keep the accumulator).

// Whole pages are walked four at a time: four streams keep more cache lines on their way than one.
const page: usize = 4096;

// @ts-ignore: decorator
@inline
function lanesMax(v: v128): f32 {
  return max<f32>(
    max<f32>(f32x4.extract_lane(v, 0), f32x4.extract_lane(v, 1)),
    max<f32>(f32x4.extract_lane(v, 2), f32x4.extract_lane(v, 3)));
}

// @ts-ignore: decorator
@inline
function lanesMin(v: v128): f32 {
  return min<f32>(
    min<f32>(f32x4.extract_lane(v, 0), f32x4.extract_lane(v, 1)),
    min<f32>(f32x4.extract_lane(v, 2), f32x4.extract_lane(v, 3)));
}

export function absmaxF32(x: usize, n: usize): f32 {
  const minus = v128.load(304);
  let a = f32x4.splat(0), b = a, c = a, d = a;
  let i: usize = 0;
  for (; i + page <= n; i += page) {
    const from = x + (i << 2);
    for (let p = from, end = from + page; p < end; p += 64) {
      for (let j: usize = 0; j < 4 * page; j += page) {
        a = f32x4.pmax(a, v128.andnot(v128.load(p + j), minus));
        b = f32x4.pmax(b, v128.andnot(v128.load(p + j, 16), minus));
        c = f32x4.pmax(c, v128.andnot(v128.load(p + j, 32), minus));
        d = f32x4.pmax(d, v128.andnot(v128.load(p + j, 48), minus));
      }
    }
  }
  for (; i + 16 <= n; i += 16) {
    const p = x + (i << 2);
    a = f32x4.pmax(a, v128.andnot(v128.load(p), minus));
    b = f32x4.pmax(b, v128.andnot(v128.load(p, 16), minus));
    c = f32x4.pmax(c, v128.andnot(v128.load(p, 32), minus));
    d = f32x4.pmax(d, v128.andnot(v128.load(p, 48), minus));
  }
  let top = lanesMax(f32x4.pmax(f32x4.pmax(a, b), f32x4.pmax(c, d)));
  for (; i < n; i++) {
    const v = abs<f32>(load<f32>(x + (i << 2)));
    if (v > top) top = v;
  }
  return top;
}

// out: f32 min, f32 max; min > max when there is no value.
export function minmaxF32(x: usize, n: usize, out: usize): void {
  let lo = f32x4.splat(Infinity), lo2 = lo, hi = f32x4.splat(-Infinity), hi2 = hi;
  let i: usize = 0;
  for (; i + page <= n; i += page) {
    const from = x + (i << 2);
    for (let p = from, end = from + page; p < end; p += 32) {
      for (let j: usize = 0; j < 4 * page; j += page) {
        const a = v128.load(p + j), b = v128.load(p + j, 16);
        lo = f32x4.pmin(lo, a);
        hi = f32x4.pmax(hi, a);
        lo2 = f32x4.pmin(lo2, b);
        hi2 = f32x4.pmax(hi2, b);
      }
    }
  }
  for (; i + 8 <= n; i += 8) {
    const a = v128.load(x + (i << 2)), b = v128.load(x + (i << 2), 16);
    lo = f32x4.pmin(lo, a);
    hi = f32x4.pmax(hi, a);
    lo2 = f32x4.pmin(lo2, b);
    hi2 = f32x4.pmax(hi2, b);
  }
  let low = lanesMin(f32x4.pmin(lo, lo2)), high = lanesMax(f32x4.pmax(hi, hi2));
  for (; i < n; i++) {
    const v = load<f32>(x + (i << 2));
    if (v < low) low = v;
    if (v > high) high = v;
  }
  store<f32>(out, low);
  store<f32>(out, high, 4);
}

// Ranges of `rows` rows of `inner` values, out: f32 min, f32 max per row (min > max where a row has no value).
// Returns 1 when there is a NaN or an infinity among them; the ranges of its row mean nothing then.
export function rowRangesF32(x: usize, rows: usize, inner: usize, out: usize): i32 {
  // v - v is 0 for finite values, NaN for all others.
  let bad = f32x4.splat(0), other: f32 = 0, p = x;
  for (let r: usize = 0; r < rows; r++, out += 8) {
    const end = p + (inner << 2);
    let low: f32 = Infinity, high: f32 = -Infinity;
    if (inner >= 8) {
      let lo = f32x4.splat(Infinity), hi = f32x4.splat(-Infinity), lo2 = lo, hi2 = hi;
      const stop = p + ((inner & ~7) << 2);
      for (; p < stop; p += 32) {
        const a = v128.load(p), b = v128.load(p, 16);
        lo = f32x4.pmin(lo, a);
        hi = f32x4.pmax(hi, a);
        lo2 = f32x4.pmin(lo2, b);
        hi2 = f32x4.pmax(hi2, b);
        bad = v128.or(bad, v128.or(f32x4.sub(a, a), f32x4.sub(b, b)));
      }
      lo = f32x4.pmin(lo, lo2);
      hi = f32x4.pmax(hi, hi2);
      low = min<f32>(
        min<f32>(f32x4.extract_lane(lo, 0), f32x4.extract_lane(lo, 1)),
        min<f32>(f32x4.extract_lane(lo, 2), f32x4.extract_lane(lo, 3)));
      high = max<f32>(
        max<f32>(f32x4.extract_lane(hi, 0), f32x4.extract_lane(hi, 1)),
        max<f32>(f32x4.extract_lane(hi, 2), f32x4.extract_lane(hi, 3)));
    }
    for (; p < end; p += 4) {
      const v = load<f32>(p);
      if (v < low) low = v;
      if (v > high) high = v;
      other += v - v;
    }
    store<f32>(out, low);
    store<f32>(out, high, 4);
  }
  return i32(other != 0 || v128.any_true(bad));
}

// Ranges per channel of `pixels` times `channels` values, out: f32 min, f32 max per channel. Returns as rowRangesF32.
export function channelRangesF32(x: usize, pixels: usize, channels: usize, out: usize): i32 {
  let bad = f32x4.splat(0), other: f32 = 0;
  const step = channels << 2, end = x + pixels * step;
  let c: usize = 0;
  // A line of the cache at a time, so that the limits stay in registers.
  for (; c + 16 <= channels; c += 16) {
    let lo0 = f32x4.splat(Infinity), lo1 = lo0, lo2 = lo0, lo3 = lo0;
    let hi0 = f32x4.splat(-Infinity), hi1 = hi0, hi2 = hi0, hi3 = hi0;
    for (let p = x + (c << 2); p < end; p += step) {
      const v0 = v128.load(p), v1 = v128.load(p, 16), v2 = v128.load(p, 32), v3 = v128.load(p, 48);
      lo0 = f32x4.pmin(lo0, v0);
      lo1 = f32x4.pmin(lo1, v1);
      lo2 = f32x4.pmin(lo2, v2);
      lo3 = f32x4.pmin(lo3, v3);
      hi0 = f32x4.pmax(hi0, v0);
      hi1 = f32x4.pmax(hi1, v1);
      hi2 = f32x4.pmax(hi2, v2);
      hi3 = f32x4.pmax(hi3, v3);
      bad = v128.or(bad, v128.or(v128.or(f32x4.sub(v0, v0), f32x4.sub(v1, v1)), v128.or(f32x4.sub(v2, v2), f32x4.sub(v3, v3))));
    }
    pairs(out + (c << 3), lo0, hi0);
    pairs(out + (c << 3) + 32, lo1, hi1);
    pairs(out + (c << 3) + 64, lo2, hi2);
    pairs(out + (c << 3) + 96, lo3, hi3);
  }
  for (; c + 4 <= channels; c += 4) {
    let lo = f32x4.splat(Infinity), hi = f32x4.splat(-Infinity);
    for (let p = x + (c << 2); p < end; p += step) {
      const v = v128.load(p);
      lo = f32x4.pmin(lo, v);
      hi = f32x4.pmax(hi, v);
      bad = v128.or(bad, f32x4.sub(v, v));
    }
    pairs(out + (c << 3), lo, hi);
  }
  for (; c < channels; c++) {
    let low: f32 = Infinity, high: f32 = -Infinity;
    for (let p = x + (c << 2); p < end; p += step) {
      const v = load<f32>(p);
      if (v < low) low = v;
      if (v > high) high = v;
      other += v - v;
    }
    store<f32>(out + (c << 3), low);
    store<f32>(out + (c << 3), high, 4);
  }
  return i32(other != 0 || v128.any_true(bad));
}

// @ts-ignore: decorator
@inline
function pairs(out: usize, a: v128, b: v128): void {
  v128.store(out, i32x4.shuffle(a, b, 0, 4, 1, 5));
  v128.store(out, i32x4.shuffle(a, b, 2, 6, 3, 7), 16);
}

// @ts-ignore: decorator
@inline
function count(at: usize): void {
  store<u32>(at, load<u32>(at) + 1);
}

// Counts every `stride`-th of n values: bin |x| * scale of its sign, zeros of either sign in bin 0 as well. A table is
// 2 << shift u32, first the bins of positive values; there are two, because the next value often waits for the store
// of the one before. Every value must be finite and below (1 << shift) / scale. out: u32 zeros, u32 minus zeros.
export function tallyF32(
  x: usize, n: usize, stride: usize, scale: f32, table: usize, shift: i32, out: usize,
): void {
  const minus = v128.load(304), s = f32x4.splat(scale), zero = i32x4.splat(0);
  const t1 = table + (<usize>8 << shift);
  const step = stride << 2, end = x + (n << 2);
  let plusZeros = zero, minusZeros = zero, p = x;
  // 4 counted values at a time: the last of them lies 3 steps behind the first.
  const stop = end > x + 3 * step ? end - 3 * step : x;
  while (p < stop) {
    let v: v128;
    if (stride == 1) v = v128.load(p);
    else {
      v = v128.load32_zero(p);
      v = v128.load32_lane(p + step, v, 1);
      v = v128.load32_lane(p + 2 * step, v, 2);
      v = v128.load32_lane(p + 3 * step, v, 3);
    }
    p += 4 * step;
    plusZeros = i32x4.sub(plusZeros, i32x4.eq(v, zero));
    minusZeros = i32x4.sub(minusZeros, i32x4.eq(v, minus));
    const m = i32x4.trunc_sat_f32x4_s(f32x4.mul(v128.andnot(v, minus), s));
    const k = i32x4.shl(i32x4.add(m, i32x4.shl(i32x4.shr_u(v, 31), shift)), 2);
    count(table + <usize>i32x4.extract_lane(k, 0));
    count(t1 + <usize>i32x4.extract_lane(k, 1));
    count(table + <usize>i32x4.extract_lane(k, 2));
    count(t1 + <usize>i32x4.extract_lane(k, 3));
  }
  let a = lanes(plusZeros), b = lanes(minusZeros);
  for (; p < end; p += step) {
    const v = load<u32>(p);
    a += u32(v == 0);
    b += u32(v == 0x80000000);
    count(table + (<usize>((v >>> 31 << shift) + <u32>(abs<f32>(reinterpret<f32>(v)) * scale)) << 2));
  }
  store<u32>(out, a + b);
  store<u32>(out, b, 4);
}

// @ts-ignore: decorator
@inline
function lanes(v: v128): u32 {
  return i32x4.extract_lane(v, 0) + i32x4.extract_lane(v, 1) + i32x4.extract_lane(v, 2) + i32x4.extract_lane(v, 3);
}

// Adds the first n (rounded up to 4) u32 of the second table of tallyF32 to the first, and clears them.
export function foldTables(table: usize, n: usize, shift: i32): void {
  const t1 = <usize>8 << shift, zero = i32x4.splat(0);
  for (let p = table, end = table + (n << 2); p < end; p += 16) {
    v128.store(p, i32x4.add(v128.load(p), v128.load(p + t1)));
    v128.store(p + t1, zero);
  }
}

// @ts-ignore: decorator
@inline
function sum(v: v128): f64 {
  return <f64>f32x4.extract_lane(v, 0) + <f64>f32x4.extract_lane(v, 1) + <f64>f32x4.extract_lane(v, 2) +
    <f64>f32x4.extract_lane(v, 3);
}

// @ts-ignore: decorator
@inline
function distance(x: v128, y: v128, minus: v128): v128 {
  return v128.andnot(f32x4.sub(y, x), minus);
}

// d / |x|; where x is 0: 1, or 0 when d is 0 too (d divided by itself or by the smallest number).
// @ts-ignore: decorator
@inline
function relative(d: v128, x: v128, minus: v128, zero: v128, tiny: v128): v128 {
  const none = v128.and(f32x4.eq(x, zero), f32x4.pmax(d, tiny));
  return f32x4.div(d, v128.or(v128.andnot(x, minus), none));
}

// out: 7 f64, added to: sums of a a, b b, a b, d d, |d|, |d| / |a| and the largest |d|, d = b - a.
// float32 within blocks of 256 elements, float64 between them. A block takes 128 elements of each of two pages: two
// streams per tensor.
export function compareF32(a: usize, b: usize, n: usize, out: usize): void {
  const minus = v128.load(304), zero = f32x4.splat(0), tiny = i32x4.splat(1);
  let aa: f64 = load<f64>(out), bb: f64 = load<f64>(out, 8), ab: f64 = load<f64>(out, 16);
  let dd: f64 = load<f64>(out, 24), d1: f64 = load<f64>(out, 32), rel: f64 = load<f64>(out, 40);
  let top = f32x4.splat(<f32>load<f64>(out, 48));
  let i: usize = 0, k: usize = 0;
  while (i + 4 <= n) {
    let vaa = zero, vbb = zero, vab = zero, vdd = zero, vd1 = zero, vrel = zero;
    if (i + (page >> 1) <= n) {
      let p = a + (i + k << 2), q = b + (i + k << 2);
      for (const end = p + 512; p < end; p += 16, q += 16) {
        const x = v128.load(p), y = v128.load(q), u = v128.load(p, 4096), v = v128.load(q, 4096);
        const d = distance(x, y, minus), e = distance(u, v, minus);
        vaa = f32x4.relaxed_madd(u, u, f32x4.relaxed_madd(x, x, vaa));
        vbb = f32x4.relaxed_madd(v, v, f32x4.relaxed_madd(y, y, vbb));
        vab = f32x4.relaxed_madd(u, v, f32x4.relaxed_madd(x, y, vab));
        vdd = f32x4.relaxed_madd(e, e, f32x4.relaxed_madd(d, d, vdd));
        vd1 = f32x4.add(vd1, f32x4.add(d, e));
        top = f32x4.pmax(f32x4.pmax(top, d), e);
        vrel = f32x4.add(
          vrel, f32x4.add(relative(d, x, minus, zero, tiny), relative(e, u, minus, zero, tiny)));
      }
      k += 128;
      if (k == page >> 2) {
        k = 0;
        i += page >> 1;
      }
    } else {
      for (const end = min<usize>(n, i + 256); i + 4 <= end; i += 4) {
        const x = v128.load(a + (i << 2)), y = v128.load(b + (i << 2)), d = distance(x, y, minus);
        vaa = f32x4.relaxed_madd(x, x, vaa);
        vbb = f32x4.relaxed_madd(y, y, vbb);
        vab = f32x4.relaxed_madd(x, y, vab);
        vdd = f32x4.relaxed_madd(d, d, vdd);
        vd1 = f32x4.add(vd1, d);
        top = f32x4.pmax(top, d);
        vrel = f32x4.add(vrel, relative(d, x, minus, zero, tiny));
      }
    }
    aa += sum(vaa);
    bb += sum(vbb);
    ab += sum(vab);
    dd += sum(vdd);
    d1 += sum(vd1);
    rel += sum(vrel);
  }
  let most = lanesMax(top);
  for (; i < n; i++) {
    const x = <f64>load<f32>(a + (i << 2)), y = <f64>load<f32>(b + (i << 2)), d = abs<f64>(y - x);
    aa += x * x;
    bb += y * y;
    ab += x * y;
    dd += d * d;
    d1 += d;
    rel += d == 0 ? 0 : x == 0 ? 1 : d / abs<f64>(x);
    if (<f32>d > most) most = <f32>d;
  }
  store<f64>(out, aa);
  store<f64>(out, bb, 8);
  store<f64>(out, ab, 16);
  store<f64>(out, dd, 24);
  store<f64>(out, d1, 32);
  store<f64>(out, rel, 40);
  store<f64>(out, <f64>most, 48);
}
