// The driver of the depthwise rows: one strip of output rows, one block of 16 channels.
//
// The strip is rewritten as planes of 4 channels, int8 [plane / 2][row pair][column][plane % 2][4 channels][2 rows]:
// one widening load gives both operands of a pairwise dot for two vertical taps (r, r + dilation). What lies outside the
// picture holds the zero point, whose share the biases leave out. int16 is split in two parts of int16, [plane][row
// pair][column][4 channels][2 rows], zero point subtracted. Where rows follow each other (stride and dilation 1) pairs
// do not overlap: even output rows take them as they are, odd ones with weights moved down by one row.
import { dw3s1, dw3s2, dwAny, dwRaw } from "./rows";
import { finishWide } from "./finish";
import { roundedConstants } from "./requant";

// The job block: 32-bit words.
//  0 x             1 y            2 weights       3 bias i32[planes*4]   4 mul i32[planes*4]   5 modes u8[planes]
//  6 constants     7 multiplier (outC / inC)      8 inH                  9 inW                10 inC
// 11 outH         12 outW        13 pairs        14 kernelW             15 strideH            16 strideW
// 17 padTop       18 padLeft     19 dilationH    20 dilationW           21 outC               22 row step (gcd)
// 23 rows/strip   24 yRow        25 yCol         26 yStart              27 yImage (elements)  28 xType
// 29 yType        30 xZero       31 variant (0 any, 1 3x3 stride 1, 2 3x3 stride 2, 3 int16)
// 32 columns      33 strips per image            34 pair rows of a whole strip  35 parity: two weight sets

const header: usize = 512;

// @ts-ignore: decorator
@inline
function word(g: usize, i: usize): i32 {
  return load<i32>(g + (i << 2));
}

// Row pairs of 16 int8 channels; an absent row holds `none`. The second 8 channels go `size` bytes further.
function pairs8(
  a: usize, b: usize, hasA: bool, hasB: bool, dst: usize, size: usize, both: bool, n: i32, C: i32, none: v128,
): void {
  let va = none, vb = none;
  if (both && hasA && hasB) {
    for (const end = dst + (<usize>n << 4); dst < end; dst += 16) {
      va = v128.load(a);
      vb = v128.load(b);
      v128.store(dst, i8x16.shuffle(va, vb, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23));
      v128.store(dst + size, i8x16.shuffle(va, vb, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31));
      a += C;
      b += C;
    }
    return;
  }
  for (let i: i32 = 0; i < n; i++, a += C, b += C, dst += 16) {
    if (hasA) va = v128.load(a);
    if (hasB) vb = v128.load(b);
    v128.store(dst, i8x16.shuffle(va, vb, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23));
    if (both) {
      v128.store(dst + size, i8x16.shuffle(va, vb, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31));
    }
  }
}

// Channels 4 * first .. 4 * (first + planes) - 1 of int8 rows, every form of them.
function prepare8(g: usize, x: usize, iy: i32, pairRows: i32, first: i32, planes: i32, dst: usize): void {
  const inH = word(g, 8), inW = word(g, 9), C = word(g, 10), outC = word(g, 21), times = word(g, 7);
  const cols = word(g, 32), step = word(g, 22), dh = word(g, 19), z = word(g, 30), ix = -word(g, 18);
  const left = min<i32>(cols, max<i32>(0, -ix)), from = max<i32>(0, ix);
  const valid = max<i32>(0, min<i32>(inW - from, cols - left));
  const size = <usize>pairRows * cols * 16;
  const none = i8x16.splat(<i8>z);
  for (let r: i32 = 0; r < pairRows; r++) {
    const ya = iy + r * step, yb = ya + dh;
    const hasA = ya >= 0 && ya < inH, hasB = yb >= 0 && yb < inH;
    const a = x + (<usize>ya * inW + from) * C, b = x + (<usize>yb * inW + from) * C;
    let out = dst + <usize>r * cols * 16;
    for (let p: i32 = 0; p < planes; p += 2) {
      const o = out + <usize>(p >> 1) * size;
      for (let i: i32 = 0; i < left; i++) v128.store(o + (<usize>i << 4), none);
      for (let i: i32 = left + valid; i < cols; i++) v128.store(o + (<usize>i << 4), none);
    }
    out += <usize>left * 16;
    if (times == 1) {
      pairs8(a + first * 4, b + first * 4, hasA, hasB, out, size, planes > 2, valid, C, none);
      continue;
    }
    for (let i: i32 = 0; i < valid; i++, out += 16) {
      const ra = a + <usize>i * C, rb = b + <usize>i * C;
      for (let c: i32 = 0; c < planes * 4; c++) {
        const o = first * 4 + c;
        if (o >= outC) break;
        const at = out + <usize>(c >> 3) * size + <usize>((c & 7) << 1);
        store<i8>(at, hasA ? load<i8>(ra + o / times) : <i8>z);
        store<i8>(at, hasB ? load<i8>(rb + o / times) : <i8>z, 1);
      }
    }
  }
}

// One value of a strip of int16: part 1 its low byte, 2 the rest.
// @ts-ignore: decorator
@inline
function value(row: usize, has: bool, c: i32, z: i32, part: i32): i32 {
  if (!has) return 0;
  const v = <i32>load<i16>(row + (<usize>c << 1)) - z;
  return part == 1 ? v & 255 : v >> 8;
}

function prepare16(g: usize, x: usize, iy: i32, pairRows: i32, first: i32, planes: i32, dst: usize, part: i32): void {
  const inH = word(g, 8), inW = word(g, 9), C = word(g, 10), outC = word(g, 21), times = word(g, 7);
  const cols = word(g, 32), step = word(g, 22), dh = word(g, 19), z = word(g, 30), ix = -word(g, 18);
  const left = min<i32>(cols, max<i32>(0, -ix)), from = max<i32>(0, ix);
  const valid = max<i32>(0, min<i32>(inW - from, cols - left));
  const zero = i32x4.splat(0), mask = i16x8.splat(255);
  const size = <usize>pairRows * cols * 16;
  const whole = times == 1 && z == 0 ? min<i32>(planes, outC / 4 - first) & ~1 : 0;
  for (let r: i32 = 0; r < pairRows; r++) {
    const ya = iy + r * step, yb = ya + dh;
    const hasA = ya >= 0 && ya < inH, hasB = yb >= 0 && yb < inH;
    const a = x + (<usize>ya * inW + from) * (C * 2), b = x + (<usize>yb * inW + from) * (C * 2);
    let out = dst + <usize>r * cols * 16;
    for (let p: i32 = 0; p < planes; p++) {
      const o = out + <usize>p * size;
      for (let i: i32 = 0; i < left; i++) v128.store(o + (<usize>i << 4), zero);
      for (let i: i32 = left + valid; i < cols; i++) v128.store(o + (<usize>i << 4), zero);
    }
    out += <usize>left * 16;
    for (let i: i32 = 0; i < valid; i++, out += 16) {
      const ra = a + <usize>i * (C * 2), rb = b + <usize>i * (C * 2);
      for (let p: i32 = 0; p < whole; p += 2) {
        const at = <usize>(first + p) << 3, to = out + <usize>p * size;
        let u = hasA ? v128.load(ra + at) : zero, v = hasB ? v128.load(rb + at) : zero;
        u = part == 1 ? v128.and(u, mask) : i16x8.shr_s(u, 8);
        v = part == 1 ? v128.and(v, mask) : i16x8.shr_s(v, 8);
        v128.store(to, i16x8.shuffle(u, v, 0, 8, 1, 9, 2, 10, 3, 11));
        v128.store(to + size, i16x8.shuffle(u, v, 4, 12, 5, 13, 6, 14, 7, 15));
      }
      for (let c: i32 = whole * 4; c < planes * 4; c++) {
        const o = first * 4 + c;
        if (o >= outC) break;
        const at = out + <usize>(c >> 2) * size + <usize>((c & 3) << 2);
        store<i16>(at, <i16>value(ra, hasA, o / times, z, part));
        store<i16>(at, <i16>value(rb, hasB, o / times, z, part), 2);
      }
    }
  }
}

// Strip `s` (of all images), planes first .. first + 3.
export function depthwise(g: usize, s: i32, first: i32, scratch: usize): void {
  const per = word(g, 33), n = s / per, rows = word(g, 23), outH = word(g, 11), outW = word(g, 12);
  const oy0 = (s % per) * rows, count = min<i32>(rows, outH - oy0);
  const C = word(g, 10), outC = word(g, 21), variant = word(g, 31), step = word(g, 22), cols = word(g, 32);
  const planes = min<i32>(4, (outC + 3) / 4 - first);
  const elt = variant == 3 ? 2 : 1;
  const x = <usize>word(g, 0) + <usize>n * word(g, 8) * word(g, 9) * C * elt;
  const iy = oy0 * word(g, 15) - word(g, 17);
  const pairs = word(g, 13), sh = word(g, 15), dh = word(g, 19), kw = word(g, 14);
  const parity = word(g, 35);
  const pairRows = parity
    ? ((count - 1) >> 1) + max<i32>(pairs, 1)
    : ((count - 1) * sh + 2 * max<i32>(pairs - 1, 0) * dh) / step + 1;
  const k = scratch, f = scratch + 384;
  memory.copy(k, <usize>word(g, 6), 128);
  memory.copy(f, <usize>word(g, 6) + 128, 32);
  roundedConstants(k + 448, load<i32>(f, 12));
  const data = scratch + header, size = <usize>pairRows * cols * 16;
  const other = data + 4 * size;
  if (pairs > 0) {
    if (variant != 3) prepare8(g, x, iy, pairRows, first, planes, data);
    else {
      prepare16(g, x, iy, pairRows, first, planes, data, 1);
      prepare16(g, x, iy, pairRows, first, planes, other, 2);
    }
  }
  // With parity each pass makes every second row from every pair row.
  const passes = parity ? 2 : 1;
  const rowStep = parity ? <usize>cols * 16 : <usize>(sh / step) * cols * 16, pairStep = <usize>(2 * dh / step) * cols * 16;
  const tapStep = <usize>word(g, 20) * 16, colStep = <usize>word(g, 16) * 16;
  const ysize = word(g, 29) == 0 ? 1 : word(g, 29) == 2 ? 2 : 4;
  const yRow = <usize>word(g, 24) * ysize, yCol = <usize>word(g, 25) * ysize;
  const y = <usize>word(g, 1) + (<usize>n * word(g, 27) + word(g, 26) + <usize>oy0 * word(g, 24)) * ysize;
  for (let p: i32 = 0; p < planes; p++) {
    const plane = first + p, c = plane * 4, channels = min<i32>(4, outC - c);
    const w0 = <usize>word(g, 2) + <usize>plane * passes * pairs * kw * 16;
    const bias = <usize>word(g, 3) + <usize>plane * 16, mul = <usize>word(g, 4) + <usize>plane * 16;
    const mode = <i32>load<u8>(<usize>word(g, 5) + plane);
    const src = variant == 3 ? data + <usize>p * size : data + <usize>(p >> 1) * size + <usize>((p & 1) << 3);
    store<i32>(f, c, 24);
    for (let pass: i32 = 0; pass < passes; pass++) {
      const w = w0 + <usize>pass * pairs * kw * 16;
      const lines = parity ? (count + 1 - pass) >> 1 : count;
      const out = y + <usize>c * ysize + <usize>pass * yRow, next = yRow * passes;
      if (variant == 1) {
        dw3s1(src, lines, rowStep, pairs, pairStep, kw, tapStep, colStep, w, bias, mul, outW, out, next, yCol, k, mode, channels, f);
      } else if (variant == 2) {
        dw3s2(src, lines, rowStep, pairs, pairStep, kw, tapStep, colStep, w, bias, mul, outW, out, next, yCol, k, mode, channels, f);
      } else if (variant == 0) {
        dwAny(src, lines, rowStep, pairs, pairStep, kw, tapStep, colStep, w, bias, mul, outW, out, next, yCol, k, mode, channels, f);
      } else {
        const yo = k + 256;
        store<u32>(yo, 0);
        store<u32>(yo, <u32>yCol, 4);
        store<u32>(yo, <u32>yCol * 2, 8);
        store<u32>(yo, <u32>yCol * 3, 12);
        for (let r: i32 = 0; r < lines; r++) {
          for (let t: i32 = 0; t < outW; t += 4) {
            const at = src + <usize>r * rowStep + <usize>t * colStep, at2 = at + (other - data);
            dwRaw(at, pairs, pairStep, kw, tapStep, colStep, w, k + 128);
            dwRaw(at2, pairs, pairStep, kw, tapStep, colStep, w, k + 192);
            finishWide(
              k + 128, k + 192, bias, yo, min<i32>(4, outW - t), channels, 16,
              out + <usize>r * next + <usize>t * yCol, f);
          }
        }
      }
    }
  }
}
