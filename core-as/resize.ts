// Resize of NHWC pictures with integer tables (docs/arithmetic.md section 8).

// i0h, i0w: input row per output row, input column per output column. `bytes` per pixel.
export function resizeNearest(
  x: usize, y: usize, batch: usize, inH: usize, inW: usize, outH: usize, outW: usize, bytes: usize,
  ih: usize, iw: usize,
): void {
  for (let n: usize = 0; n < batch; n++) {
    for (let r: usize = 0; r < outH; r++) {
      const row = x + (n * inH + <usize>load<i32>(ih + (r << 2))) * inW * bytes;
      let out = y + (n * outH + r) * outW * bytes;
      for (let c: usize = 0; c < outW; c++, out += bytes) {
        const from = row + <usize>load<i32>(iw + (c << 2)) * bytes;
        if (bytes >= 32) memory.copy(out, from, bytes);
        else for (let b: usize = 0; b < bytes; b++) store<u8>(out + b, load<u8>(from + b));
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function linear<T>(
  x: usize, y: usize, batch: usize, inH: usize, inW: usize, outH: usize, outW: usize, C: usize,
  h0: usize, h1: usize, wh: usize, w0: usize, w1: usize, ww: usize,
): void {
  const row = inW * C * sizeof<T>();
  for (let n: usize = 0; n < batch; n++) {
    for (let r: usize = 0; r < outH; r++) {
      const top = x + (n * inH + <usize>load<i32>(h0 + (r << 2))) * row;
      const bottom = x + (n * inH + <usize>load<i32>(h1 + (r << 2))) * row;
      const b = <i64>load<i32>(wh + (r << 2)), a = 2048 - b;
      let out = y + (n * outH + r) * outW * C * sizeof<T>();
      for (let c: usize = 0; c < outW; c++) {
        const l = <usize>load<i32>(w0 + (c << 2)) * C * sizeof<T>();
        const k = <usize>load<i32>(w1 + (c << 2)) * C * sizeof<T>();
        const q = <i64>load<i32>(ww + (c << 2)), p = 2048 - q;
        for (let i: usize = 0; i < C; i++, out += sizeof<T>()) {
          const o = i * sizeof<T>();
          const v = a * (p * <i64>load<T>(top + l + o) + q * <i64>load<T>(top + k + o)) +
            b * (p * <i64>load<T>(bottom + l + o) + q * <i64>load<T>(bottom + k + o));
          store<T>(out, <T>((v + (1 << 21)) >> 22));
        }
      }
    }
  }
}

export function resizeLinear(
  t: i32, x: usize, y: usize, batch: usize, inH: usize, inW: usize, outH: usize, outW: usize, C: usize,
  h0: usize, h1: usize, wh: usize, w0: usize, w1: usize, ww: usize,
): void {
  if (t == 0) linear<i8>(x, y, batch, inH, inW, outH, outW, C, h0, h1, wh, w0, w1, ww);
  else linear<i16>(x, y, batch, inH, inW, outH, outW, C, h0, h1, wh, w0, w1, ww);
}
