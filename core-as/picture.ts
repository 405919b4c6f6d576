// Colour conversions and separable resize of interleaved pictures, in binary64 step by step as
// picture_ref.ts writes them. Bytes are rounded half up; where a result is an int8, 128 less, its top bit is flipped.

// Bytes 0, 3, 6, 9 of a vector as words (and so on for 1 and 2): the channels of four pixels.
// @ts-ignore: decorator
@inline
function first(v: v128): v128 {
  return i8x16.shuffle(v, i32x4.splat(0), 0, 16, 16, 16, 3, 16, 16, 16, 6, 16, 16, 16, 9, 16, 16, 16);
}

// @ts-ignore: decorator
@inline
function second(v: v128): v128 {
  return i8x16.shuffle(v, i32x4.splat(0), 1, 16, 16, 16, 4, 16, 16, 16, 7, 16, 16, 16, 10, 16, 16, 16);
}

// @ts-ignore: decorator
@inline
function third(v: v128): v128 {
  return i8x16.shuffle(v, i32x4.splat(0), 2, 16, 16, 16, 5, 16, 16, 16, 8, 16, 16, 16, 11, 16, 16, 16);
}

// @ts-ignore: decorator
@inline
function low(v: v128): v128 {
  return f64x2.convert_low_i32x4_s(v);
}

// @ts-ignore: decorator
@inline
function high(v: v128): v128 {
  return f64x2.convert_low_i32x4_s(i64x2.shuffle(v, v, 1, 1));
}

// @ts-ignore: decorator
@inline
function whole(v: v128): v128 {
  return i32x4.trunc_sat_f64x2_s_zero(f64x2.floor(f64x2.add(v, f64x2.splat(0.5))));
}

// Four values as words 0..255.
// @ts-ignore: decorator
@inline
function words(a: v128, b: v128): v128 {
  const w = i64x2.shuffle(whole(a), whole(b), 0, 2);
  return i32x4.min_s(i32x4.max_s(w, i32x4.splat(0)), i32x4.splat(255));
}

// @ts-ignore: decorator
@inline
function byteOf(v: f64): u8 {
  const b = <i32>Math.floor(v + 0.5);
  return <u8>(b < 0 ? 0 : b > 255 ? 255 : b);
}

// Words of three channels to 12 bytes.
// @ts-ignore: decorator
@inline
function store3(y: usize, a: v128, b: v128, c: v128, flip: v128): void {
  const p = v128.or(v128.or(a, i32x4.shl(b, 8)), i32x4.shl(c, 16));
  const t = v128.xor(
    i8x16.shuffle(p, p, 0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 0, 0, 0, 0),
    flip);
  v128.store64_lane(y, t, 0);
  v128.store32_lane(y, t, 2, 8);
}

// @ts-ignore: decorator
@inline
function luma(r: v128, g: v128, b: v128, k: usize): v128 {
  return f64x2.add(
    f64x2.add(f64x2.mul(v128.load64_splat(k), r), f64x2.mul(v128.load64_splat(k, 8), g)),
    f64x2.mul(v128.load64_splat(k, 16), b));
}

// offset + y * steps
// @ts-ignore: decorator
@inline
function scaled(y: v128, k: usize): v128 {
  return f64x2.add(v128.load64_splat(k, 24), f64x2.mul(y, v128.load64_splat(k, 32)));
}

// 128 + (c - y) / span * steps; span at k + 48 (blue) or k + 56 (red)
// @ts-ignore: decorator
@inline
function chroma(c: v128, y: v128, span: v128, k: usize): v128 {
  return f64x2.add(
    f64x2.splat(128),
    f64x2.mul(f64x2.div(f64x2.sub(c, y), span), v128.load64_splat(k, 40)));
}

// @ts-ignore: decorator
@inline
function lumaOf(r: f64, g: f64, b: f64, k: usize): f64 {
  return load<f64>(k) * r + load<f64>(k, 8) * g + load<f64>(k, 16) * b;
}

// @ts-ignore: decorator
@inline
function chromaOf(c: f64, y: f64, span: f64, k: usize): f64 {
  return 128 + (c - y) / span * load<f64>(k, 40);
}

// k: 8 doubles: red, green, blue of luma; offset; steps of luma and of chroma; spans of blue and red.
export function rgbToYuv(x: usize, y: usize, n: usize, k: usize, swap: i32, flip: i32): void {
  const f = i8x16.splat(<i8>flip), sb = v128.load64_splat(k, 48), sr = v128.load64_splat(k, 56);
  let i: usize = 0;
  for (; i + 4 <= n; i += 4, x += 12, y += 12) {
    const v = v128.load(x), a = first(v), g = second(v), c = third(v);
    const r = swap ? c : a, b = swap ? a : c;
    const r0 = low(r), r1 = high(r), b0 = low(b), b1 = high(b);
    const y0 = luma(r0, low(g), b0, k), y1 = luma(r1, high(g), b1, k);
    store3(
      y,
      words(scaled(y0, k), scaled(y1, k)),
      words(chroma(b0, y0, sb, k), chroma(b1, y1, sb, k)),
      words(chroma(r0, y0, sr, k), chroma(r1, y1, sr, k)),
      f);
  }
  for (; i < n; i++, x += 3, y += 3) {
    const a = <f64>load<u8>(x), c = <f64>load<u8>(x, 2), r = swap ? c : a, b = swap ? a : c;
    const l = lumaOf(r, <f64>load<u8>(x, 1), b, k);
    store<u8>(y, byteOf(load<f64>(k, 24) + l * load<f64>(k, 32)) ^ <u8>flip);
    store<u8>(y, byteOf(chromaOf(b, l, load<f64>(k, 48), k)) ^ <u8>flip, 1);
    store<u8>(y, byteOf(chromaOf(r, l, load<f64>(k, 56), k)) ^ <u8>flip, 2);
  }
}

// Channels of two float pixels; the third vector begins 8 bytes further on.
// @ts-ignore: decorator
@inline
function floats(x: usize, from: i32): v128 {
  return f64x2.promote_low_f32x4(
    v128.load32_lane(x + (from << 2), v128.load32_zero(x + (from << 2)), 1, 12));
}

// @ts-ignore: decorator
@inline
function storeFloats(y: usize, a: v128, b: v128, c: v128): void {
  const p = f32x4.demote_f64x2_zero(a), q = f32x4.demote_f64x2_zero(b), r = f32x4.demote_f64x2_zero(c);
  v128.store32_lane(y, p, 0);
  v128.store32_lane(y, q, 0, 4);
  v128.store32_lane(y, r, 0, 8);
  v128.store32_lane(y, p, 1, 12);
  v128.store32_lane(y, q, 1, 16);
  v128.store32_lane(y, r, 1, 20);
}

export function rgbToYuvF32(x: usize, y: usize, n: usize, k: usize, swap: i32): void {
  const sb = v128.load64_splat(k, 48), sr = v128.load64_splat(k, 56);
  let i: usize = 0;
  for (; i + 2 <= n; i += 2, x += 24, y += 24) {
    const a = floats(x, 0), g = floats(x, 1), c = floats(x, 2), r = swap ? c : a, b = swap ? a : c;
    const l = luma(r, g, b, k);
    storeFloats(y, scaled(l, k), chroma(b, l, sb, k), chroma(r, l, sr, k));
  }
  if (i < n) {
    const a = <f64>load<f32>(x), c = <f64>load<f32>(x, 8), r = swap ? c : a, b = swap ? a : c;
    const l = lumaOf(r, <f64>load<f32>(x, 4), b, k);
    store<f32>(y, <f32>(load<f64>(k, 24) + l * load<f64>(k, 32)));
    store<f32>(y, <f32>chromaOf(b, l, load<f64>(k, 48), k), 4);
    store<f32>(y, <f32>chromaOf(r, l, load<f64>(k, 56), k), 8);
  }
}

export function rgbToGray(x: usize, y: usize, n: usize, k: usize, swap: i32, flip: i32): void {
  let i: usize = 0;
  for (; i + 4 <= n; i += 4, x += 12, y += 4) {
    const v = v128.load(x), a = first(v), g = second(v), c = third(v);
    const r = swap ? c : a, b = swap ? a : c;
    const w = words(luma(low(r), low(g), low(b), k), luma(high(r), high(g), high(b), k));
    const t = v128.xor(
      i8x16.shuffle(w, w, 0, 4, 8, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
      i8x16.splat(<i8>flip));
    v128.store32_lane(y, t, 0);
  }
  for (; i < n; i++, x += 3, y++) {
    const a = <f64>load<u8>(x), c = <f64>load<u8>(x, 2);
    store<u8>(y, byteOf(lumaOf(swap ? c : a, <f64>load<u8>(x, 1), swap ? a : c, k)) ^ <u8>flip);
  }
}

export function rgbToGrayF32(x: usize, y: usize, n: usize, k: usize, swap: i32): void {
  let i: usize = 0;
  for (; i + 2 <= n; i += 2, x += 24, y += 8) {
    const a = floats(x, 0), g = floats(x, 1), c = floats(x, 2);
    v128.store64_lane(y, f32x4.demote_f64x2_zero(luma(swap ? c : a, g, swap ? a : c, k)), 0);
  }
  if (i < n) {
    const a = <f64>load<f32>(x), c = <f64>load<f32>(x, 8);
    store<f32>(y, <f32>lumaOf(swap ? c : a, <f64>load<f32>(x, 4), swap ? a : c, k));
  }
}

// One channel of YUV to RGB: three factors at k.
// @ts-ignore: decorator
@inline
function mixed(y: v128, u: v128, v: v128, k: usize): v128 {
  return f64x2.add(
    f64x2.add(f64x2.mul(v128.load64_splat(k), y), f64x2.mul(v128.load64_splat(k, 8), u)),
    f64x2.mul(v128.load64_splat(k, 16), v));
}

// @ts-ignore: decorator
@inline
function less(v: v128, by: f64, steps: f64): v128 {
  return f64x2.mul(f64x2.sub(v, f64x2.splat(by)), f64x2.splat(steps));
}

// @ts-ignore: decorator
@inline
function mixedOf(y: f64, u: f64, v: f64, k: usize): f64 {
  return load<f64>(k) * y + load<f64>(k, 8) * u + load<f64>(k, 16) * v;
}

// k: 12 doubles: offset, steps of luma, steps of chroma, then the rows of the matrix. flipIn: the input is 128 less.
export function yuvToRgb(x: usize, y: usize, n: usize, k: usize, swap: i32, flipIn: i32, flip: i32): void {
  const o = load<f64>(k), ly = load<f64>(k, 8), ch = load<f64>(k, 16), fi = i8x16.splat(<i8>flipIn);
  const red = k + 24, green = k + 48, blue = k + 72, f = i8x16.splat(<i8>flip);
  let i: usize = 0;
  for (; i + 4 <= n; i += 4, x += 12, y += 12) {
    const p = v128.xor(v128.load(x), fi), a = first(p), b = second(p), c = third(p);
    const y0 = less(low(a), o, ly), y1 = less(high(a), o, ly);
    const u0 = less(low(b), 128, ch), u1 = less(high(b), 128, ch);
    const v0 = less(low(c), 128, ch), v1 = less(high(c), 128, ch);
    const r = words(mixed(y0, u0, v0, red), mixed(y1, u1, v1, red));
    const g = words(mixed(y0, u0, v0, green), mixed(y1, u1, v1, green));
    const l = words(mixed(y0, u0, v0, blue), mixed(y1, u1, v1, blue));
    if (swap) store3(y, l, g, r, f);
    else store3(y, r, g, l, f);
  }
  for (; i < n; i++, x += 3, y += 3) {
    const a = (<f64>(load<u8>(x) ^ <u8>flipIn) - o) * ly;
    const u = (<f64>(load<u8>(x, 1) ^ <u8>flipIn) - 128) * ch;
    const v = (<f64>(load<u8>(x, 2) ^ <u8>flipIn) - 128) * ch;
    const r = byteOf(mixedOf(a, u, v, red)), l = byteOf(mixedOf(a, u, v, blue));
    store<u8>(y, (swap ? l : r) ^ <u8>flip);
    store<u8>(y, byteOf(mixedOf(a, u, v, green)) ^ <u8>flip, 1);
    store<u8>(y, (swap ? r : l) ^ <u8>flip, 2);
  }
}

export function yuvToRgbF32(x: usize, y: usize, n: usize, k: usize, swap: i32): void {
  const o = load<f64>(k), ly = load<f64>(k, 8), ch = load<f64>(k, 16);
  const red = k + 24, green = k + 48, blue = k + 72;
  let i: usize = 0;
  for (; i + 2 <= n; i += 2, x += 24, y += 24) {
    const a = less(floats(x, 0), o, ly), u = less(floats(x, 1), 128, ch), v = less(floats(x, 2), 128, ch);
    const r = mixed(a, u, v, red), l = mixed(a, u, v, blue);
    storeFloats(y, swap ? l : r, mixed(a, u, v, green), swap ? r : l);
  }
  if (i < n) {
    const a = (<f64>load<f32>(x) - o) * ly, u = (<f64>load<f32>(x, 4) - 128) * ch;
    const v = (<f64>load<f32>(x, 8) - 128) * ch;
    const r = <f32>mixedOf(a, u, v, red), l = <f32>mixedOf(a, u, v, blue);
    store<f32>(y, swap ? l : r);
    store<f32>(y, <f32>mixedOf(a, u, v, green), 4);
    store<f32>(y, swap ? r : l, 8);
  }
}

// @ts-ignore: decorator
@inline
function single(v: v128): v128 {
  return f64x2.promote_low_f32x4(f32x4.demote_f64x2_zero(v));
}

// Two pixels side by side to luma bytes; the sums of their chroma wait for the row below.
// @ts-ignore: decorator
@inline
function pixel(x: usize): v128 {
  return f64x2.convert_low_i32x4_s(
    i32x4.replace_lane(i32x4.splat(<i32>load<u8>(x)), 1, <i32>load<u8>(x, 3)));
}

// RGB bytes to NV12: YUV as float32, luma rounded, chroma the mean of two by two. k as in rgbToYuv.
export function rgbToNv12(x: usize, y: usize, width: usize, height: usize, k: usize, swap: i32, flip: i32): void {
  const sb = v128.load64_splat(k, 48), sr = v128.load64_splat(k, 56), stride = width * 3;
  let uv = y + width * height;
  for (let row: usize = 0; row < height; row += 2) {
    const out = y + row * width;
    for (let i: usize = 0; i < width; i += 2, x += 6, uv += 2) {
      const a0 = pixel(x), g0 = pixel(x + 1), c0 = pixel(x + 2), z = x + stride;
      const a1 = pixel(z), g1 = pixel(z + 1), c1 = pixel(z + 2);
      const r0 = swap ? c0 : a0, b0 = swap ? a0 : c0, r1 = swap ? c1 : a1, b1 = swap ? a1 : c1;
      const l0 = luma(r0, g0, b0, k), l1 = luma(r1, g1, b1, k);
      const w = v128.xor(words(single(scaled(l0, k)), single(scaled(l1, k))), i8x16.splat(<i8>flip));
      store<u8>(out + i, <u8>i32x4.extract_lane(w, 0));
      store<u8>(out + i, <u8>i32x4.extract_lane(w, 1), 1);
      store<u8>(out + i + width, <u8>i32x4.extract_lane(w, 2));
      store<u8>(out + i + width, <u8>i32x4.extract_lane(w, 3), 1);
      const u0 = single(chroma(b0, l0, sb, k)), u1 = single(chroma(b1, l1, sb, k));
      const v0 = single(chroma(r0, l0, sr, k)), v1 = single(chroma(r1, l1, sr, k));
      // Lane 0: U, lane 1: V; the order of the sums is that of the reference.
      const s = f64x2.add(
        f64x2.add(
          f64x2.add(i64x2.shuffle(u0, v0, 0, 2), i64x2.shuffle(u0, v0, 1, 3)),
          i64x2.shuffle(u1, v1, 0, 2)),
        i64x2.shuffle(u1, v1, 1, 3));
      const m = v128.xor(
        words(f64x2.mul(s, f64x2.splat(0.25)), s),
        i8x16.splat(<i8>flip));
      store<u8>(uv, <u8>i32x4.extract_lane(m, 0));
      store<u8>(uv, <u8>i32x4.extract_lane(m, 1), 1);
    }
    x += stride;
  }
}

// @ts-ignore: decorator
@inline
function value<T>(x: usize): f64 {
  return <f64>load<T>(x);
}

// Four values in a row as two pairs.
// @ts-ignore: decorator
@inline
function pairLow<T>(x: usize): v128 {
  if (sizeof<T>() == 4) return f64x2.promote_low_f32x4(v128.load64_zero(x));
  return f64x2.convert_low_i32x4_u(
    i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(x))));
}

// Rows narrowed: out[x * c + k] = sum over taps of weight * in[index * c + k], in float32. Weights of 0 are left out.
// @ts-ignore: decorator
@inline
function across<T>(
  x: usize, y: usize, rows: usize, inRow: usize, outW: usize, c: usize, taps: usize, index: usize, weight: usize,
): void {
  for (let r: usize = 0; r < rows; r++, x += inRow * sizeof<T>()) {
    for (let o: usize = 0; o < outW; o++, y += c << 2) {
      const first = o * taps;
      let k: usize = 0;
      for (; k + 2 <= c; k += 2) {
        let s = f64x2.splat(0);
        for (let t = first; t < first + taps; t++) {
          const w = load<f64>(weight + (t << 3));
          if (w == 0) continue;
          const from = x + (<usize>load<i32>(index + (t << 2)) * c + k) * sizeof<T>();
          s = f64x2.add(s, f64x2.mul(f64x2.splat(w), pairLow<T>(from)));
        }
        v128.store64_lane(y + (k << 2), f32x4.demote_f64x2_zero(s), 0);
      }
      if (k < c) {
        let s: f64 = 0;
        for (let t = first; t < first + taps; t++) {
          const w = load<f64>(weight + (t << 3));
          if (w == 0) continue;
          s += w * value<T>(x + (<usize>load<i32>(index + (t << 2)) * c + k) * sizeof<T>());
        }
        store<f32>(y + (k << 2), <f32>s);
      }
    }
  }
}

export function resizeAcross(
  x: usize, y: usize, rows: usize, inRow: usize, outW: usize, c: usize, taps: usize, index: usize, weight: usize,
): void {
  across<u8>(x, y, rows, inRow, outW, c, taps, index, weight);
}

export function resizeAcrossF32(
  x: usize, y: usize, rows: usize, inRow: usize, outW: usize, c: usize, taps: usize, index: usize, weight: usize,
): void {
  across<f32>(x, y, rows, inRow, outW, c, taps, index, weight);
}

// @ts-ignore: decorator
@inline
function down(x: usize, at: usize, row: usize, first: usize, taps: usize, index: usize, weight: usize): v128 {
  let s = f64x2.splat(0);
  for (let t = first; t < first + taps; t++) {
    const w = load<f64>(weight + (t << 3));
    if (w == 0) continue;
    const from = x + ((<usize>load<i32>(index + (t << 2)) * row + at) << 2);
    s = f64x2.add(s, f64x2.mul(f64x2.splat(w), f64x2.promote_low_f32x4(v128.load64_zero(from))));
  }
  return s;
}

// Columns: float32 rows to bytes, or to float32. `row` values a row.
export function resizeDown(
  x: usize, y: usize, outH: usize, row: usize, taps: usize, index: usize, weight: usize,
): void {
  for (let o: usize = 0; o < outH; o++) {
    const first = o * taps;
    let i: usize = 0;
    for (; i + 4 <= row; i += 4, y += 4) {
      const w = words(
        down(x, i, row, first, taps, index, weight),
        down(x, i + 2, row, first, taps, index, weight));
      v128.store32_lane(y, i8x16.shuffle(w, w, 0, 4, 8, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), 0);
    }
    for (; i < row; i++, y++) {
      store<u8>(y, byteOf(f64x2.extract_lane(down(x, i, row, first, taps, index, weight), 0)));
    }
  }
}

export function resizeDownF32(
  x: usize, y: usize, outH: usize, row: usize, taps: usize, index: usize, weight: usize,
): void {
  for (let o: usize = 0; o < outH; o++) {
    const first = o * taps;
    let i: usize = 0;
    for (; i + 2 <= row; i += 2, y += 8) {
      v128.store64_lane(y, f32x4.demote_f64x2_zero(down(x, i, row, first, taps, index, weight)), 0);
    }
    if (i < row) {
      store<f32>(y, <f32>f64x2.extract_lane(down(x, i, row, first, taps, index, weight), 0));
      y += 4;
    }
  }
}
