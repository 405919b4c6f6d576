// The driver of the dense tiles: one strip of output rows, a range of channel panels.
import { d16Raw, d16Run, rd8Run } from "./tiles";
import { f32Run } from "./tiles_f32";
import { finishWide } from "./finish";
import { roundedConstants } from "./requant";
import { strip } from "./strip";

// The job block: 32-bit words.
//  0 x            1 y            2 weights      3 bias i32[panels*8]  4 mul i32[panels*8]  5 modes u8[panels]
//  6 constants (128 bytes, then the finish block)       8 inH          9 inW                10 C                 11 outH
// 12 outW        13 kernelH     14 kernelW     15 strideH            16 strideW           17 padTop
// 18 padLeft     19 dilationH   20 dilationW   21 inC / group        22 outC / group      23 groups
// 24 yRow        25 yCol        26 yStart      27 yImage (elements)  28 xType             29 yType
// 30 xZero       31 kind (0 d16, 1 rd8, 2 wide, 3 f32)                      32 steps per run     33 runs of kernelW
// 34 rows per strip             35 in place    36 cols of a strip    37 strips per image  38 panels per group

// Scratch starts with a header of its own per thread: constants, two tiles, the finish block, zero biases.
const header: usize = 512;

// @ts-ignore: decorator
@inline
function word(g: usize, i: usize): i32 {
  return load<i32>(g + (i << 2));
}

// Whether pixels are walked by steps instead of tables.
// @ts-ignore: decorator
@inline
function walked(g: usize, pixels: i32): bool {
  return word(g, 12) == 1 && pixels >= 4 && word(g, 31) < 2;
}

// Whether a panel ends through finishTile.
function ragged(g: usize): bool {
  const modes = <usize>word(g, 5), n = <usize>(word(g, 38) * word(g, 23));
  for (let i: usize = 0; i < n; i++) if (load<u8>(modes + i) == 3) return true;
  return false;
}

// Prepares strip number \`s\` (of all images) in scratch: tables, then the padded rows.
export function denseStrip(g: usize, s: i32, scratch: usize): void {
  const per = word(g, 37), n = s / per, rows = word(g, 34), outH = word(g, 11), outW = word(g, 12);
  const oy0 = (s % per) * rows, oy1 = min<i32>(oy0 + rows, outH);
  const C = word(g, 10), cols = word(g, 36), kind = word(g, 31), size = kind == 1 ? 1 : kind == 3 ? 4 : 2;
  const sh = word(g, 15), sw = word(g, 16);
  const ysize = word(g, 29) == 0 ? 1 : word(g, 29) == 2 ? 2 : 4;
  const pixels = (oy1 - oy0) * outW;
  const xo = scratch + header, yo = xo + (<usize>pixels << 2);
  memory.copy(scratch, <usize>word(g, 6), 128);
  memory.copy(scratch + 384, <usize>word(g, 6) + 128, 32);
  memory.fill(scratch + 416, 0, 32);
  roundedConstants(scratch + 448, load<i32>(scratch + 384, 12));
  const yRow = word(g, 24), yCol = word(g, 25);
  let i: usize = 0;
  // Pixels that are walked by steps need the first place only, ragged panels all of them.
  const last = walked(g, pixels) && !ragged(g) ? oy0 + 1 : oy1;
  for (let oy = oy0; oy < last; oy++) {
    let a = (oy - oy0) * sh * cols * C * size, b = (word(g, 26) + oy * yRow) * ysize;
    const da = sw * C * size, db = yCol * ysize;
    for (let ox = 0; ox < outW; ox++, i += 4, a += da, b += db) {
      store<i32>(xo + i, a);
      store<i32>(yo + i, b);
    }
  }
  const image = word(g, 8) * word(g, 9) * C * (word(g, 28) == 0 ? 1 : word(g, 28) == 2 ? 2 : 4);
  const x = <usize>word(g, 0) + <usize>n * image;
  const iy = oy0 * sh - word(g, 17), ix = -word(g, 18);
  const high = (oy1 - 1 - oy0) * sh + (word(g, 13) - 1) * word(g, 19) + 1;
  // Run offsets.
  const runs = yo + (<usize>pixels << 2), kw = word(g, 33);
  for (let ky = 0; ky < word(g, 13); ky++) {
    for (let kx = 0; kx < kw; kx++) {
      const o = (ky * word(g, 19) * cols + kx * word(g, 20)) * C * size;
      store<i32>(runs + (<usize>(ky * kw + kx) << 2), o);
    }
  }
  if (word(g, 35)) return;
  const data = (runs + (<usize>(word(g, 13) * kw) << 2) + 15) & ~<usize>15;
  if (kind != 2) strip(x, data, word(g, 8), word(g, 9), C, iy, high, ix, cols, word(g, 30), kind == 3 ? 4 : kind);
  else {
    strip(x, data, word(g, 8), word(g, 9), C, iy, high, ix, cols, word(g, 30), 2);
    const bytes = <usize>high * cols * C * 2;
    strip(x, data + ((bytes + 31) & ~<usize>15), word(g, 8), word(g, 9), C, iy, high, ix, cols, word(g, 30), 3);
  }
}

// Panels from .. to - 1 (counted over all groups) of a prepared strip.
export function densePanels(g: usize, s: i32, scratch: usize, from: i32, to: i32): void {
  const per = word(g, 37), n = s / per, rows = word(g, 34), outH = word(g, 11), outW = word(g, 12);
  const oy0 = (s % per) * rows, oy1 = min<i32>(oy0 + rows, outH);
  const C = word(g, 10), cols = word(g, 36), kind = word(g, 31), size = kind == 1 ? 1 : kind == 3 ? 4 : 2;
  const pixels = (oy1 - oy0) * outW;
  const xo = scratch + header, yo = xo + (<usize>pixels << 2);
  const runs = yo + (<usize>pixels << 2), count = word(g, 13) * word(g, 33), steps = word(g, 32);
  let data = (runs + (<usize>count << 2) + 15) & ~<usize>15;
  if (word(g, 35)) {
    const row = <usize>word(g, 9) * C;
    data = <usize>word(g, 0) + (<usize>n * word(g, 8) + oy0 * word(g, 15)) * row * size;
  }
  const high = (oy1 - 1 - oy0) * word(g, 15) + (word(g, 13) - 1) * word(g, 19) + 1;
  const second = data + ((<usize>high * cols * C * 2 + 31) & ~<usize>15);
  const ysize = word(g, 29) == 0 ? 1 : word(g, 29) == 2 ? 2 : 4;
  const image = <usize>word(g, 1) + <usize>n * word(g, 27) * ysize;
  const panels = word(g, 38), og = word(g, 22), ig = word(g, 21);
  const panelBytes = <usize>count * steps * 32;
  const k = scratch, f = scratch + 384;
  let dx: usize = 0, dy: usize = 0;
  if (walked(g, pixels)) {
    dx = <usize>(word(g, 15) * cols * C * size);
    dy = <usize>(word(g, 24) * ysize);
  }
  for (let p = from; p < to; p++) {
    const group = p / panels, c0 = (p % panels) * 8;
    const channels = min<i32>(8, og - c0), first = group * og + c0;
    const mode = <i32>load<u8>(<usize>word(g, 5) + p);
    const w = <usize>word(g, 2) + <usize>p * panelBytes;
    const bias = <usize>word(g, 3) + (<usize>p << 5), mul = <usize>word(g, 4) + (<usize>p << 5);
    const x = data + <usize>(group * ig * size), y = image + <usize>first * ysize;
    store<i32>(f, first, 24);
    if (kind == 0) {
      d16Run(x, xo, yo, dx, dy, pixels, w, bias, mul, count, runs, steps, y, k, mode, channels, f);
    } else if (kind == 1) {
      rd8Run(x, xo, yo, dx, dy, pixels, w, bias, mul, count, runs, steps, y, k, mode, channels, f);
    } else if (kind == 3) {
      f32Run(x, xo, yo, pixels, w, bias, count, runs, steps, y, k, channels);
    } else {
      const x2 = second + <usize>(group * ig * size), zero = scratch + 416;
      for (let t: i32 = 0; t < pixels; t += 4) {
        const o0 = <usize>load<u32>(xo + (<usize>t << 2));
        const o1 = <usize>load<u32>(xo + (<usize>min<i32>(t + 1, pixels - 1) << 2));
        const o2 = <usize>load<u32>(xo + (<usize>min<i32>(t + 2, pixels - 1) << 2));
        const o3 = <usize>load<u32>(xo + (<usize>min<i32>(t + 3, pixels - 1) << 2));
        d16Raw(x + o0, x + o1, x + o2, x + o3, w, zero, count, runs, steps, k + 128);
        d16Raw(x2 + o0, x2 + o1, x2 + o2, x2 + o3, w, zero, count, runs, steps, k + 256);
        finishWide(k + 128, k + 256, bias, yo + (<usize>t << 2), min<i32>(4, pixels - t), channels, 32, y, f);
      }
    }
  }
}
