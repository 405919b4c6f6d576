/**
 * Writes the float32 depthwise kernels: tiles of 8 or 4 neighbouring outputs on 4 channels of an NHWC picture. The
 * weights of one kernel row and all sums stay in registers; every input of the row is loaded once.
 *
 * @module
 */

const range = (n: number) => Array.from({ length: n }, (_, i) => i);

/** Kernel widths and strides with code of their own. */
const fixed = [[3, 1], [3, 2], [5, 1], [5, 2]] as const;

const head = (name: string, extra: string) => `
// p: first input of the first row, channel 0; kh rows of it lie inside the picture; line: bytes of a pixel.
function ${name}(
  p: usize, rowStep: usize, kh: i32, w: usize, wRow: usize, line: usize, bias: usize, out: usize, k: usize,${extra}
): void {
  let a: v128;
  for (let c: usize = 0;;) {
`;

const tail = (n: number) =>
  `    const lo = v128.load(k), hi = v128.load(k, 16);
    let o = out + c;
` + range(n).map((i) =>
    `    v128.store(o, f32x4.pmin(f32x4.pmax(c${i}, lo), hi));\n${i + 1 < n ? "    o += line;\n" : ""}`
  ).join("") + `    c += 16;
    if (c + 16 > line) {
      if (c >= line) break;
      c = line - 16; // the last channels once more
    }
  }
}
`;

const sums = (n: number) =>
  `    let c0 = v128.load(bias + c), ${range(n).slice(1).map((i) => `c${i} = c0`).join(", ")};\n`;

function tile(kw: number, sw: number, n: number): string {
  let text = head(`dw${kw}s${sw}x${n}`, "") + sums(n) + `    let q = p + c, u = w + c;
    for (let ky = kh; ky > 0; ky--) {
      const w0 = v128.load(u)${range(kw).slice(1).map((i) => `, w${i} = v128.load(u + ${i} * line)`).join("")};
      let r = q;
`;
  const columns = (n - 1) * sw + kw;
  for (let j = 0; j < columns; j++) {
    text += `      a = v128.load(r);\n`;
    for (let i = 0; i < n; i++) {
      const t = j - i * sw;
      if (t >= 0 && t < kw) text += `      c${i} = f32x4.relaxed_madd(a, w${t}, c${i});\n`;
    }
    if (j + 1 < columns) text += `      r += line;\n`;
  }
  return text + `      q += rowStep;
      u += wRow;
    }
` + tail(n);
}

function anyTile(n: number): string {
  return head(`dwAnyx${n}`, ` kw: i32, tap: usize, step: usize,`) + sums(n) + `    let q = p + c, u = w + c;
    for (let ky = kh; ky > 0; ky--) {
      let s = q, v = u;
      for (let kx = kw; kx > 0; kx--) {
        const w0 = v128.load(v);
        let r = s;
${
    range(n).map((i) =>
      `        c${i} = f32x4.relaxed_madd(v128.load(r), w0, c${i});\n${i + 1 < n ? "        r += step;\n" : ""}`
    ).join("")
  }        s += tap;
        v += line;
      }
      q += rowStep;
      u += wRow;
    }
` + tail(n);
}

const calls = (n: number) =>
  fixed.map(([kw, sw], i) =>
    `  if (variant == ${i}) return dw${kw}s${sw}x${n}(p, rowStep, kh, w, wRow, line, bias, out, k);\n`
  ).join("") + `  dwAnyx${n}(p, rowStep, kh, w, wRow, line, bias, out, k, kw, tap, step);\n`;

/** core-as/micro/depthwise_f32.ts. */
export function depthwiseF32(): string {
  return `// Written by core-as/gen/float_depthwise.ts; do not edit.
${fixed.flatMap(([kw, sw]) => [tile(kw, sw, 8), tile(kw, sw, 4)]).join("")}${anyTile(8)}${anyTile(4)}${
    [8, 4].map((n) => `
function tile${n}(
  variant: i32, p: usize, rowStep: usize, kh: i32, w: usize, wRow: usize, line: usize, bias: usize, out: usize, k: usize,
  kw: i32, tap: usize, step: usize,
): void {
${calls(n)}}
`).join("")
  }
// One output, any number of taps.
function pixel(
  p: usize, rowStep: usize, kh: i32, w: usize, wRow: usize, line: usize, bias: usize, out: usize, k: usize,
  kw: i32, tap: usize,
): void {
  const lo = v128.load(k), hi = v128.load(k, 16);
  let c: usize = 0;
  for (; c + 64 <= line; c += 64) {
    let c0 = v128.load(bias + c), c1 = v128.load(bias + c, 16), c2 = v128.load(bias + c, 32), c3 = v128.load(bias + c, 48);
    for (let ky = 0; ky < kh; ky++) {
      let r = p + <usize>ky * rowStep + c, u = w + <usize>ky * wRow + c;
      for (let kx = 0; kx < kw; kx++) {
        c0 = f32x4.relaxed_madd(v128.load(r), v128.load(u), c0);
        c1 = f32x4.relaxed_madd(v128.load(r, 16), v128.load(u, 16), c1);
        c2 = f32x4.relaxed_madd(v128.load(r, 32), v128.load(u, 32), c2);
        c3 = f32x4.relaxed_madd(v128.load(r, 48), v128.load(u, 48), c3);
        r += tap;
        u += line;
      }
    }
    v128.store(out + c, f32x4.pmin(f32x4.pmax(c0, lo), hi));
    v128.store(out + c, f32x4.pmin(f32x4.pmax(c1, lo), hi), 16);
    v128.store(out + c, f32x4.pmin(f32x4.pmax(c2, lo), hi), 32);
    v128.store(out + c, f32x4.pmin(f32x4.pmax(c3, lo), hi), 48);
  }
  for (; c < line;) {
    const four = c + 16 <= line;
    let c0 = four ? v128.load(bias + c) : v128.load32_splat(bias + c);
    for (let ky = 0; ky < kh; ky++) {
      let r = p + <usize>ky * rowStep + c, u = w + <usize>ky * wRow + c;
      for (let kx = 0; kx < kw; kx++) {
        c0 = four
          ? f32x4.relaxed_madd(v128.load(r), v128.load(u), c0)
          : f32x4.relaxed_madd(v128.load32_splat(r), v128.load32_splat(u), c0);
        r += tap;
        u += line;
      }
    }
    c0 = f32x4.pmin(f32x4.pmax(c0, lo), hi);
    if (four) {
      v128.store(out + c, c0);
      c += 16;
    } else {
      v128.store32_lane(out + c, c0, 0);
      c += 4;
    }
  }
}

// Taps of a kernel of n with dilation d from position i that lie inside size: from .. to - 1.
// @ts-ignore: decorator
@inline
function from(i: i32, d: i32): i32 {
  return i < 0 ? (d - 1 - i) / d : 0;
}

// @ts-ignore: decorator
@inline
function to(i: i32, d: i32, n: i32, size: i32): i32 {
  return i >= size ? 0 : min<i32>(n, (size - 1 - i) / d + 1);
}

// Depthwise NHWC: weights [taps][C], geometry block as in core-as/conv.ts, k: lower and upper limit, 4 lanes each.
export function depthwiseF32(x: usize, y: usize, w: usize, bias: usize, g: usize, k: usize): void {
  const inH = load<i32>(g, 4), inW = load<i32>(g, 8), C = load<i32>(g, 12), outH = load<i32>(g, 20);
  const outW = load<i32>(g, 24), kh = load<i32>(g, 28), kw = load<i32>(g, 32), sh = load<i32>(g, 36);
  const sw = load<i32>(g, 40), pt = load<i32>(g, 44), pl = load<i32>(g, 48), dh = load<i32>(g, 52), dw = load<i32>(g, 56);
  const line = <usize>C << 2, wRow = <usize>kw * line, rowStep = <usize>(dh * inW) * line;
  const tap = <usize>dw * line, step = <usize>sw * line;
  const variant = dw != 1 || kw != 3 && kw != 5 || sw > 2 ? -1 : (kw == 5 ? 2 : 0) + sw - 1;
  // Outputs whose whole kernel row lies inside.
  const left = min<i32>(outW, (pl + sw - 1) / sw), last = inW - 1 - (kw - 1) * dw + pl;
  const right = C < 4 || last < 0 ? left : max<i32>(left, min<i32>(outW, last / sw + 1));
  const whole = right - left;
  const end = load<i32>(g, 72);
  for (let row = load<i32>(g, 68); row < end; row++) {
    const n = row / outH, iy = (row % outH) * sh - pt;
    const ky = from(iy, dh), rows = max<i32>(0, to(iy, dh, kh, inH) - ky);
    const src = x + (<usize>n * inH + iy + ky * dh) * inW * line, wy = w + <usize>ky * wRow;
    const out = y + <usize>row * outW * line;
    for (let ox: i32 = 0; ox < outW; ox++) {
      if (ox == left && whole >= 4) {
        let t = left;
        for (; t + 8 <= right; t += 8) {
          tile8(variant, src + <usize>(t * sw - pl) * line, rowStep, rows, wy, wRow, line, bias, out + <usize>t * line, k, kw, tap, step);
        }
        while (t < right) {
          if (right - t <= 4) t = right - 4;
          else if (whole >= 8) t = right - 8;
          const p = src + <usize>(t * sw - pl) * line, o = out + <usize>t * line;
          if (t + 8 == right) {
            tile8(variant, p, rowStep, rows, wy, wRow, line, bias, o, k, kw, tap, step);
            break;
          }
          tile4(variant, p, rowStep, rows, wy, wRow, line, bias, o, k, kw, tap, step);
          t += 4;
        }
        ox = right;
        if (ox >= outW) break;
      }
      const ix = ox * sw - pl, kx = from(ix, dw), cols = max<i32>(0, to(ix, dw, kw, inW) - kx);
      pixel(
        src + <usize>(ix + kx * dw) * line, rowStep, rows, wy + <usize>kx * line, wRow, line, bias, out + <usize>ox * line, k,
        cols, tap);
    }
  }
}
`;
}
