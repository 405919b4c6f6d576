// The slow end of a tile: any shift, any output type, any number of channels.

// The finish block: 32-bit words: 0 mul (i16), 1 shift (i8), 2 yType, 3 yZero, 4 qmin, 5 qmax, 6 first channel.

// @ts-ignore: decorator
@inline
function word(f: usize, i: usize): i32 {
  return load<i32>(f + (i << 2));
}

// @ts-ignore: decorator
@inline
function emit(acc: i64, c: i32, y: usize, f: usize): void {
  const lo = <i64>word(f, 4), hi = <i64>word(f, 5), t = word(f, 2);
  let q = acc;
  if (t != 3) {
    const s = <i64>load<i8>(<usize>word(f, 1) + c);
    const m = <i64>load<i16>(<usize>word(f, 0) + (<usize>c << 1));
    q = ((acc * m + (s > 0 ? (<i64>1) << (s - 1) : 0)) >> s) + <i64>word(f, 3);
  }
  q = q < lo ? lo : q > hi ? hi : q;
  if (t == 0) store<i8>(y, <i8>q);
  else if (t == 2) store<i16>(y, <i16>q);
  else store<i32>(y, <i32>q);
}

// @ts-ignore: decorator
@inline
function log2(t: i32): usize {
  return t == 0 ? 0 : t == 2 ? 1 : 2;
}

// m * 2^-s of a channel, and whether its shift is at most 36.
// @ts-ignore: decorator
@inline
function factorOf(f: usize, c: i32): f64 {
  const s = <i64>load<i8>(<usize>word(f, 1) + c);
  return <f64>load<i16>(<usize>word(f, 0) + (<usize>c << 1)) * reinterpret<f64>((1023 - s) << 52);
}

// @ts-ignore: decorator
@inline
function small(f: usize, c: i32): bool {
  return load<i8>(<usize>word(f, 1) + c) <= 36;
}

// Four channels of finishTile in float64: products of an int32 and a multiplier have 46 bits, so this is exact for every
// shift (docs/arithmetic.md section 3).
function tile4(tile: usize, yo: usize, pixels: i32, row: usize, y: usize, f: usize, c: i32): void {
  const t = word(f, 2), zero = word(f, 3), z = i32x4.splat(zero), half = f64x2.splat(0.5);
  const lo = f64x2.splat(<f64>(word(f, 4) - zero)), hi = f64x2.splat(<f64>(word(f, 5) - zero));
  const m0 = f64x2.replace_lane(f64x2.splat(factorOf(f, c)), 1, factorOf(f, c + 1));
  const m1 = f64x2.replace_lane(f64x2.splat(factorOf(f, c + 2)), 1, factorOf(f, c + 3));
  for (let p: i32 = 0; p < pixels; p++, tile += row) {
    const v = v128.load(tile), out = y + <usize>load<u32>(yo + (<usize>p << 2));
    const a = f64x2.floor(f64x2.add(f64x2.mul(f64x2.convert_low_i32x4_s(v), m0), half));
    const b = f64x2.floor(
      f64x2.add(f64x2.mul(f64x2.convert_low_i32x4_s(i64x2.shuffle(v, v, 1, 1)), m1), half));
    const q = i64x2.shuffle(
      i32x4.relaxed_trunc_f64x2_s_zero(f64x2.pmin(f64x2.pmax(a, lo), hi)),
      i32x4.relaxed_trunc_f64x2_s_zero(f64x2.pmin(f64x2.pmax(b, lo), hi)), 0, 2);
    const w = i16x8.narrow_i32x4_s(i32x4.add(q, z), z);
    if (t == 0) v128.store32_lane(out, i8x16.narrow_i16x8_s(w, w), 0);
    else v128.store64_lane(out, w, 0);
  }
}

// pixels x channels accumulators at tile, \`row\` bytes per pixel; results at y + yo[pixel].
export function finishTile(
  tile: usize, yo: usize, pixels: i32, channels: i32, row: usize, y: usize, f: usize,
): void {
  const first = word(f, 6), size = log2(word(f, 2));
  let done: i32 = 0;
  if (word(f, 2) != 3) {
    for (; done + 4 <= channels; done += 4) {
      tile4(tile + (<usize>done << 2), yo, pixels, row, y + (<usize>done << size), f, first + done);
    }
  }
  for (let p: i32 = 0; p < pixels; p++) {
    const out = y + <usize>load<u32>(yo + (<usize>p << 2));
    for (let c: i32 = done; c < channels; c++) {
      emit(<i64>load<i32>(tile + <usize>p * row + (<usize>c << 2)), first + c, out + (<usize>c << size), f);
    }
  }
}

// Two quotients floor(low M + high 256 M + bias M + 1/2), limited; int32 in the lower half.
// @ts-ignore: decorator
@inline
function pair(l: v128, h: v128, m: v128, m256: v128, b: v128, lo: v128, hi: v128): v128 {
  const t = f64x2.add(
    f64x2.mul(f64x2.convert_low_i32x4_s(h), m256), f64x2.add(f64x2.mul(f64x2.convert_low_i32x4_s(l), m), b));
  return i32x4.relaxed_trunc_f64x2_s_zero(f64x2.pmin(f64x2.pmax(f64x2.floor(t), lo), hi));
}

// Four channels of finishWide in float64, exact for shifts up to 36: quotients inside the limits come from products
// below 2^53, larger ones are limited whatever their last bits are.
function wide4(
  low: usize, high: usize, bias: usize, yo: usize, pixels: i32, row: usize, y: usize, f: usize, c: i32,
): void {
  const t = word(f, 2), zero = word(f, 3), z = i32x4.splat(zero), half = f64x2.splat(0.5);
  const lo = f64x2.splat(<f64>(word(f, 4) - zero)), hi = f64x2.splat(<f64>(word(f, 5) - zero));
  const m0 = f64x2.replace_lane(f64x2.splat(factorOf(f, c)), 1, factorOf(f, c + 1));
  const m1 = f64x2.replace_lane(f64x2.splat(factorOf(f, c + 2)), 1, factorOf(f, c + 3));
  const n0 = f64x2.mul(m0, f64x2.splat(256)), n1 = f64x2.mul(m1, f64x2.splat(256)), b = v128.load(bias);
  const b0 = f64x2.add(f64x2.mul(f64x2.convert_low_i32x4_s(b), m0), half);
  const b1 = f64x2.add(f64x2.mul(f64x2.convert_low_i32x4_s(i64x2.shuffle(b, b, 1, 1)), m1), half);
  for (let p: i32 = 0; p < pixels; p++, low += row, high += row) {
    const l = v128.load(low), h = v128.load(high), out = y + <usize>load<u32>(yo + (<usize>p << 2));
    const q = i64x2.shuffle(
      pair(l, h, m0, n0, b0, lo, hi),
      pair(i64x2.shuffle(l, l, 1, 1), i64x2.shuffle(h, h, 1, 1), m1, n1, b1, lo, hi), 0, 2);
    const w = i16x8.narrow_i32x4_s(i32x4.add(q, z), z);
    if (t == 0) v128.store32_lane(out, i8x16.narrow_i16x8_s(w, w), 0);
    else v128.store64_lane(out, w, 0);
  }
}

// The same for int16 activations: bias + low + 256 * high.
export function finishWide(
  low: usize, high: usize, bias: usize, yo: usize, pixels: i32, channels: i32, row: usize, y: usize, f: usize,
): void {
  const first = word(f, 6), size = log2(word(f, 2));
  let done: i32 = 0;
  if (word(f, 2) != 3) {
    for (; done + 4 <= channels; done += 4) {
      const c = first + done, at = <usize>done << 2;
      if (!(small(f, c) && small(f, c + 1) && small(f, c + 2) && small(f, c + 3))) break;
      wide4(low + at, high + at, bias + at, yo, pixels, row, y + (<usize>done << size), f, c);
    }
  }
  for (let p: i32 = 0; p < pixels; p++) {
    const out = y + <usize>load<u32>(yo + (<usize>p << 2));
    for (let c: i32 = done; c < channels; c++) {
      const at = <usize>p * row + (<usize>c << 2);
      const acc = <i64>load<i32>(low + at) + ((<i64>load<i32>(high + at)) << 8) +
        <i64>load<i32>(bias + (<usize>c << 2));
      emit(acc, first + c, out + (<usize>c << size), f);
    }
  }
}
