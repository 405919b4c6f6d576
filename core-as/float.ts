// float32 kernels of the optional float engine.

// Depthwise NHWC: weights [taps][C] (C the output channels, a multiple of nothing), geometry block as in conv.ts.
export function depthwiseF32(x: usize, y: usize, w: usize, bias: usize, g: usize, lo: f32, hi: f32): void {
  const inH = load<i32>(g, 4), inW = load<i32>(g, 8), C = load<i32>(g, 12), outH = load<i32>(g, 20);
  const outW = load<i32>(g, 24), kh = load<i32>(g, 28), kw = load<i32>(g, 32), sh = load<i32>(g, 36);
  const sw = load<i32>(g, 40), pt = load<i32>(g, 44), pl = load<i32>(g, 48), dh = load<i32>(g, 52), dw = load<i32>(g, 56);
  const low = f32x4.splat(lo), high = f32x4.splat(hi);
  const line = <usize>C << 2, whole = C & ~7;
  for (let row = load<i32>(g, 68); row < load<i32>(g, 72); row++) {
    const n = row / outH, iy0 = (row % outH) * sh - pt;
    for (let ox: i32 = 0; ox < outW; ox++) {
      const ix0 = ox * sw - pl;
      const out = y + (<usize>row * outW + ox) * line;
      let c: i32 = 0;
      for (; c < whole; c += 8) {
        const at = <usize>c << 2;
        let a = v128.load(bias + at), b = v128.load(bias + at, 16);
        for (let ky: i32 = 0; ky < kh; ky++) {
          const iy = iy0 + ky * dh;
          if (<u32>iy >= <u32>inH) continue;
          const src = x + (<usize>n * inH + iy) * inW * line + at;
          let q = w + <usize>(ky * kw) * line + at;
          for (let kx: i32 = 0; kx < kw; kx++, q += line) {
            const ix = ix0 + kx * dw;
            if (<u32>ix >= <u32>inW) continue;
            const p = src + <usize>ix * line;
            a = f32x4.relaxed_madd(v128.load(p), v128.load(q), a);
            b = f32x4.relaxed_madd(v128.load(p, 16), v128.load(q, 16), b);
          }
        }
        v128.store(out + at, f32x4.pmin(f32x4.pmax(a, low), high));
        v128.store(out + at, f32x4.pmin(f32x4.pmax(b, low), high), 16);
      }
      for (; c < C; c++) {
        const at = <usize>c << 2;
        let a = load<f32>(bias + at);
        for (let ky: i32 = 0; ky < kh; ky++) {
          const iy = iy0 + ky * dh;
          if (<u32>iy >= <u32>inH) continue;
          for (let kx: i32 = 0; kx < kw; kx++) {
            const ix = ix0 + kx * dw;
            if (<u32>ix >= <u32>inW) continue;
            a += load<f32>(x + ((<usize>n * inH + iy) * inW + ix) * line + at) *
              load<f32>(w + <usize>(ky * kw + kx) * line + at);
          }
        }
        store<f32>(out + at, min<f32>(max<f32>(a, lo), hi));
      }
    }
  }
}

// [K][N] float32 to [panel][K][8], zero padded.
export function packRightF32(b: usize, dst: usize, K: usize, N: usize): void {
  for (let n: usize = 0; n < N; n += 8) {
    for (let k: usize = 0; k < K; k++, dst += 32) {
      const p = b + ((k * N + n) << 2);
      if (n + 8 <= N) {
        v128.store(dst, v128.load(p));
        v128.store(dst, v128.load(p, 16), 16);
      } else {
        for (let c: usize = 0; c < 8; c++) store<f32>(dst + (c << 2), n + c < N ? load<f32>(p + (c << 2)) : 0);
      }
    }
  }
}

// op: 0 add, 1 sub, 2 mul, 3 div, 4 max, 5 min over n elements; a zero step repeats one element.
export function binaryF32(op: i32, a: usize, aStep: usize, b: usize, bStep: usize, y: usize, n: usize): void {
  let va = f32x4.splat(load<f32>(a)), vb = f32x4.splat(load<f32>(b));
  let i: usize = 0;
  for (; i + 4 <= n; i += 4) {
    if (aStep) va = v128.load(a + (i << 2));
    if (bStep) vb = v128.load(b + (i << 2));
    v128.store(
      y + (i << 2),
      op == 0
        ? f32x4.add(va, vb)
        : op == 1
        ? f32x4.sub(va, vb)
        : op == 2
        ? f32x4.mul(va, vb)
        : op == 3
        ? f32x4.div(va, vb)
        : op == 4
        ? f32x4.max(va, vb)
        : f32x4.min(va, vb),
    );
  }
  for (; i < n; i++) {
    const u = load<f32>(a + (aStep ? i << 2 : 0)), v = load<f32>(b + (bStep ? i << 2 : 0));
    store<f32>(
      y + (i << 2),
      op == 0 ? u + v : op == 1 ? u - v : op == 2 ? u * v : op == 3 ? u / v : op == 4 ? max<f32>(u, v) : min<f32>(u, v));
  }
}
