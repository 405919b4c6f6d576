// One-pass statistics of float32 tensors. NaN is ignored by the ranges (pmin and pmax keep the accumulator).

export function absmaxF32(x: usize, n: usize): f32 {
  const minus = v128.load(304);
  let a = f32x4.splat(0), b = a, c = a, d = a;
  let i: usize = 0;
  for (; i + 16 <= n; i += 16) {
    const p = x + (i << 2);
    a = f32x4.pmax(a, v128.andnot(v128.load(p), minus));
    b = f32x4.pmax(b, v128.andnot(v128.load(p, 16), minus));
    c = f32x4.pmax(c, v128.andnot(v128.load(p, 32), minus));
    d = f32x4.pmax(d, v128.andnot(v128.load(p, 48), minus));
  }
  a = f32x4.pmax(f32x4.pmax(a, b), f32x4.pmax(c, d));
  let top = max<f32>(
    max<f32>(f32x4.extract_lane(a, 0), f32x4.extract_lane(a, 1)),
    max<f32>(f32x4.extract_lane(a, 2), f32x4.extract_lane(a, 3)));
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
  for (; i + 16 <= n; i += 16) {
    const p = x + (i << 2);
    const a = v128.load(p), b = v128.load(p, 16), c = v128.load(p, 32), d = v128.load(p, 48);
    lo = f32x4.pmin(f32x4.pmin(lo, a), c);
    hi = f32x4.pmax(f32x4.pmax(hi, a), c);
    lo2 = f32x4.pmin(f32x4.pmin(lo2, b), d);
    hi2 = f32x4.pmax(f32x4.pmax(hi2, b), d);
  }
  lo = f32x4.pmin(lo, lo2);
  hi = f32x4.pmax(hi, hi2);
  let low = min<f32>(
    min<f32>(f32x4.extract_lane(lo, 0), f32x4.extract_lane(lo, 1)),
    min<f32>(f32x4.extract_lane(lo, 2), f32x4.extract_lane(lo, 3)));
  let high = max<f32>(
    max<f32>(f32x4.extract_lane(hi, 0), f32x4.extract_lane(hi, 1)),
    max<f32>(f32x4.extract_lane(hi, 2), f32x4.extract_lane(hi, 3)));
  for (; i < n; i++) {
    const v = load<f32>(x + (i << 2));
    if (v < low) low = v;
    if (v > high) high = v;
  }
  store<f32>(out, low);
  store<f32>(out, high, 4);
}

// out: f32 min, f32 max, u32 zeros, u32 NaNs. min > max when there is no value.
export function rangeF32(x: usize, n: usize, out: usize): void {
  const zero = f32x4.splat(0);
  let lo = f32x4.splat(Infinity), lo2 = lo, hi = f32x4.splat(-Infinity), hi2 = hi;
  let zeros = i32x4.splat(0), ordered = zeros;
  let i: usize = 0;
  for (; i + 8 <= n; i += 8) {
    const a = v128.load(x + (i << 2)), b = v128.load(x + (i << 2), 16);
    lo = f32x4.pmin(lo, a);
    hi = f32x4.pmax(hi, a);
    lo2 = f32x4.pmin(lo2, b);
    hi2 = f32x4.pmax(hi2, b);
    zeros = i32x4.add(zeros, i32x4.add(f32x4.eq(a, zero), f32x4.eq(b, zero)));
    ordered = i32x4.add(ordered, i32x4.add(f32x4.eq(a, a), f32x4.eq(b, b)));
  }
  lo = f32x4.pmin(lo, lo2);
  hi = f32x4.pmax(hi, hi2);
  let low = min<f32>(
    min<f32>(f32x4.extract_lane(lo, 0), f32x4.extract_lane(lo, 1)),
    min<f32>(f32x4.extract_lane(lo, 2), f32x4.extract_lane(lo, 3)));
  let high = max<f32>(
    max<f32>(f32x4.extract_lane(hi, 0), f32x4.extract_lane(hi, 1)),
    max<f32>(f32x4.extract_lane(hi, 2), f32x4.extract_lane(hi, 3)));
  // The masks are -1 per hit.
  let z: i32 = -(i32x4.extract_lane(zeros, 0) + i32x4.extract_lane(zeros, 1) +
    i32x4.extract_lane(zeros, 2) + i32x4.extract_lane(zeros, 3));
  let o: i32 = -(i32x4.extract_lane(ordered, 0) + i32x4.extract_lane(ordered, 1) +
    i32x4.extract_lane(ordered, 2) + i32x4.extract_lane(ordered, 3));
  for (; i < n; i++) {
    const v = load<f32>(x + (i << 2));
    if (v < low) low = v;
    if (v > high) high = v;
    if (v == 0) z++;
    if (v == v) o++;
  }
  store<f32>(out, low);
  store<f32>(out, high, 4);
  store<i32>(out, z, 8);
  store<i32>(out, <i32>n - o, 12);
}

// Counts |x| * scale into 4 interleaved tables of `bins` u32 each (neighbours would otherwise wait for each other's
// store). Every value must be finite and below bins / scale.
export function histogramF32(x: usize, n: usize, scale: f32, table: usize, bins: usize): void {
  const minus = v128.load(304), s = f32x4.splat(scale);
  const t1 = table + (bins << 2), t2 = t1 + (bins << 2), t3 = t2 + (bins << 2);
  let i: usize = 0;
  for (; i + 4 <= n; i += 4) {
    const k = i32x4.trunc_sat_f32x4_s(f32x4.mul(v128.andnot(v128.load(x + (i << 2)), minus), s));
    const a = table + (<usize>i32x4.extract_lane(k, 0) << 2), b = t1 + (<usize>i32x4.extract_lane(k, 1) << 2);
    const c = t2 + (<usize>i32x4.extract_lane(k, 2) << 2), d = t3 + (<usize>i32x4.extract_lane(k, 3) << 2);
    store<u32>(a, load<u32>(a) + 1);
    store<u32>(b, load<u32>(b) + 1);
    store<u32>(c, load<u32>(c) + 1);
    store<u32>(d, load<u32>(d) + 1);
  }
  for (; i < n; i++) {
    const a = table + (<usize>(<i32>(abs<f32>(load<f32>(x + (i << 2))) * scale)) << 2);
    store<u32>(a, load<u32>(a) + 1);
  }
}

// @ts-ignore: decorator
@inline
function sum(v: v128): f64 {
  return <f64>f32x4.extract_lane(v, 0) + <f64>f32x4.extract_lane(v, 1) + <f64>f32x4.extract_lane(v, 2) +
    <f64>f32x4.extract_lane(v, 3);
}

// out: 7 f64, added to: sums of a a, b b, a b, d d, |d|, |d| / |a| and the largest |d|, d = b - a.
// float32 within blocks of 256 elements, float64 between them.
export function compareF32(a: usize, b: usize, n: usize, out: usize): void {
  const minus = v128.load(304), zero = f32x4.splat(0), one = f32x4.splat(1);
  let aa: f64 = load<f64>(out), bb: f64 = load<f64>(out, 8), ab: f64 = load<f64>(out, 16);
  let dd: f64 = load<f64>(out, 24), d1: f64 = load<f64>(out, 32), rel: f64 = load<f64>(out, 40);
  let top = f32x4.splat(<f32>load<f64>(out, 48));
  let i: usize = 0;
  while (i + 4 <= n) {
    const end = min<usize>(n, i + 256);
    let vaa = zero, vbb = zero, vab = zero, vdd = zero, vd1 = zero, vrel = zero;
    for (; i + 4 <= end; i += 4) {
      const x = v128.load(a + (i << 2)), y = v128.load(b + (i << 2));
      const d = v128.andnot(f32x4.sub(y, x), minus);
      vaa = f32x4.add(vaa, f32x4.mul(x, x));
      vbb = f32x4.add(vbb, f32x4.mul(y, y));
      vab = f32x4.add(vab, f32x4.mul(x, y));
      vdd = f32x4.add(vdd, f32x4.mul(d, d));
      vd1 = f32x4.add(vd1, d);
      top = f32x4.pmax(top, d);
      // Where a is 0 the relative error is 1, or 0 when d is 0 too.
      const none = f32x4.eq(x, zero);
      const q = f32x4.div(d, v128.andnot(x, minus));
      vrel = f32x4.add(vrel, v128.bitselect(v128.and(one, f32x4.ne(d, zero)), q, none));
    }
    aa += sum(vaa);
    bb += sum(vbb);
    ab += sum(vab);
    dd += sum(vdd);
    d1 += sum(vd1);
    rel += sum(vrel);
  }
  let most = max<f32>(
    max<f32>(f32x4.extract_lane(top, 0), f32x4.extract_lane(top, 1)),
    max<f32>(f32x4.extract_lane(top, 2), f32x4.extract_lane(top, 3)));
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
