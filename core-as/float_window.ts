// float32 pooling and linear resize over NHWC. Geometry block as in conv.ts.

// @ts-ignore: decorator
@inline
function word(g: usize, i: usize): i32 {
  return load<i32>(g + (i << 2));
}

// @ts-ignore: decorator
@inline
function join(average: bool, a: v128, b: v128): v128 {
  return average ? f32x4.add(a, b) : f32x4.pmax(a, b);
}

// @ts-ignore: decorator
@inline
function run(average: bool, includePad: i32, x: usize, y: usize, g: usize): void {
  const inH = word(g, 1), inW = word(g, 2), C = word(g, 3), outH = word(g, 5), outW = word(g, 6);
  const kh = word(g, 7), kw = word(g, 8), sh = word(g, 9), sw = word(g, 10);
  const pt = word(g, 11), pl = word(g, 12), dh = word(g, 13), dw = word(g, 14);
  const line = <usize>C << 2;
  const first = average ? f32x4.splat(0) : f32x4.splat(-Infinity);
  for (let row = word(g, 17); row < word(g, 18); row++) {
    const n = row / outH, iy0 = (row % outH) * sh - pt;
    const ky0 = iy0 < 0 ? (dh - 1 - iy0) / dh : 0, ky1 = iy0 >= inH ? 0 : min(kh, (inH - 1 - iy0) / dh + 1);
    for (let ox = 0; ox < outW; ox++) {
      const ix0 = ox * sw - pl;
      const kx0 = ix0 < 0 ? (dw - 1 - ix0) / dw : 0, kx1 = ix0 >= inW ? 0 : min(kw, (inW - 1 - ix0) / dw + 1);
      const out = y + (<usize>row * outW + ox) * line;
      const p0 = x + ((<isize>n * inH + iy0 + ky0 * dh) * inW + ix0 + kx0 * dw) * line;
      const rowStep = <usize>(dh * inW) * line, colStep = <usize>dw * line;
      const taps = includePad ? kh * kw : max(0, ky1 - ky0) * max(0, kx1 - kx0);
      const scale = f32x4.splat(<f32>taps);
      let c: usize = 0;
      for (; c + 64 <= line; c += 64) {
        let s0 = first, s1 = first, s2 = first, s3 = first;
        let q = p0 + c;
        for (let ky = ky0; ky < ky1; ky++, q += rowStep) {
          let p = q;
          for (let kx = kx0; kx < kx1; kx++, p += colStep) {
            s0 = join(average, s0, v128.load(p));
            s1 = join(average, s1, v128.load(p, 16));
            s2 = join(average, s2, v128.load(p, 32));
            s3 = join(average, s3, v128.load(p, 48));
          }
        }
        v128.store(out + c, average ? f32x4.div(s0, scale) : s0);
        v128.store(out + c, average ? f32x4.div(s1, scale) : s1, 16);
        v128.store(out + c, average ? f32x4.div(s2, scale) : s2, 32);
        v128.store(out + c, average ? f32x4.div(s3, scale) : s3, 48);
      }
      for (; c < line; c += 4) {
        const four = c + 16 <= line;
        let s = first, q = p0 + c;
        for (let ky = ky0; ky < ky1; ky++, q += rowStep) {
          let p = q;
          for (let kx = kx0; kx < kx1; kx++, p += colStep) {
            s = join(average, s, four ? v128.load(p) : v128.load32_splat(p));
          }
        }
        if (average) s = f32x4.div(s, scale);
        if (four) {
          v128.store(out + c, s);
          c += 12;
        } else v128.store32_lane(out + c, s, 0);
      }
    }
  }
}

export function maxPoolF32(x: usize, y: usize, g: usize): void {
  run(false, 0, x, y, g);
}

export function avgPoolF32(x: usize, y: usize, g: usize, includePad: i32): void {
  run(true, includePad, x, y, g);
}

// Per output row and column: two input positions (i32) and the weight of the second (f32).
export function resizeLinearF32(
  x: usize, y: usize, batch: usize, inH: usize, inW: usize, outH: usize, outW: usize, C: usize,
  h0: usize, h1: usize, wh: usize, w0: usize, w1: usize, ww: usize,
): void {
  const line = C << 2;
  for (let n: usize = 0; n < batch; n++) {
    for (let i: usize = 0; i < outH; i++) {
      const top = x + (n * inH + <usize>load<i32>(h0 + (i << 2))) * inW * line;
      const low = x + (n * inH + <usize>load<i32>(h1 + (i << 2))) * inW * line;
      const b = f32x4.splat(load<f32>(wh + (i << 2))), a = f32x4.sub(f32x4.splat(1), b);
      for (let j: usize = 0; j < outW; j++) {
        const l = <usize>load<i32>(w0 + (j << 2)) * line, r = <usize>load<i32>(w1 + (j << 2)) * line;
        const q = f32x4.splat(load<f32>(ww + (j << 2))), p = f32x4.sub(f32x4.splat(1), q);
        const tl = f32x4.mul(a, p), tr = f32x4.mul(a, q), bl = f32x4.mul(b, p), br = f32x4.mul(b, q);
        let c: usize = 0;
        for (; c + 16 <= line; c += 16, y += 16) {
          let s = f32x4.mul(v128.load(top + l + c), tl);
          s = f32x4.relaxed_madd(v128.load(top + r + c), tr, s);
          s = f32x4.relaxed_madd(v128.load(low + l + c), bl, s);
          v128.store(y, f32x4.relaxed_madd(v128.load(low + r + c), br, s));
        }
        for (; c < line; c += 4, y += 4) {
          let s = f32x4.mul(v128.load32_splat(top + l + c), tl);
          s = f32x4.relaxed_madd(v128.load32_splat(top + r + c), tr, s);
          s = f32x4.relaxed_madd(v128.load32_splat(low + l + c), bl, s);
          v128.store32_lane(y, f32x4.relaxed_madd(v128.load32_splat(low + r + c), br, s), 0);
        }
      }
    }
  }
}
