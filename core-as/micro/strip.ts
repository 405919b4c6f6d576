// Padded strips of an NHWC picture.

// @ts-ignore: decorator
@inline
function zeros(p: usize, n: isize): void {
  if (n > 0) memory.fill(p, 0, n);
}

// n int8 to int16, minus z.
// @ts-ignore: decorator
@inline
function widen(from: usize, to: usize, n: isize, z: i32): void {
  const zs = i16x8.splat(<i16>z);
  let i: isize = 0;
  for (; i + 16 <= n; i += 16) {
    const v = v128.load(from + i);
    v128.store(to + (i << 1), i16x8.sub(i16x8.extend_low_i8x16_s(v), zs));
    v128.store(to + (i << 1), i16x8.sub(i16x8.extend_high_i8x16_s(v), zs), 16);
  }
  for (; i < n; i++) store<i16>(to + (i << 1), <i16>(<i32>load<i8>(from + i) - z));
}

// n int16 minus z to one part: its low byte (0..255) or the rest (floor of the division by 256), as int16.
// @ts-ignore: decorator
@inline
function part(from: usize, to: usize, n: isize, z: i32, high: bool): void {
  let i: isize = 0;
  if (z == 0) {
    const mask = i16x8.splat(255);
    for (; i + 8 <= n; i += 8) {
      const v = v128.load(from + (i << 1));
      v128.store(to + (i << 1), high ? i16x8.shr_s(v, 8) : v128.and(v, mask));
    }
  }
  for (; i < n; i++) {
    const v = <i32>load<i16>(from + (i << 1)) - z;
    store<i16>(to + (i << 1), <i16>(high ? v >> 8 : v & 255));
  }
}

// kind: 0 int8 to int16, 1 int8 as it is, 2 low parts of int16, 3 high parts, 4 float32 as it is.
// Rows iy .. iy + rows - 1 and columns ix .. ix + cols - 1 of a picture of inH x inW x C; outside is 0.
export function strip(
  x: usize, dst: usize, inH: i32, inW: i32, C: i32, iy: i32, rows: i32, ix: i32, cols: i32, z: i32, kind: i32,
): void {
  const size: isize = kind == 1 ? 1 : kind == 4 ? 4 : 2, from: isize = kind < 2 ? 1 : kind == 4 ? 4 : 2;
  const left = min<i32>(cols, max<i32>(0, -ix)), first = max<i32>(0, ix);
  const valid = max<i32>(0, min<i32>(inW - first, cols - left));
  const right = cols - left - valid;
  const c = <isize>C;
  if (left == 0 && right == 0 && cols == inW && iy >= 0 && iy + rows <= inH) {
    const src = x + <isize>iy * inW * c * from, n = <isize>rows * cols * c;
    if (kind == 0) widen(src, dst, n, z);
    else if (kind == 1 || kind == 4) memory.copy(dst, src, n * size);
    else part(src, dst, n, z, kind == 3);
    return;
  }
  for (let r: i32 = 0; r < rows; r++) {
    const y = iy + r;
    if (y < 0 || y >= inH) {
      zeros(dst, <isize>cols * c * size);
      dst += <isize>cols * c * size;
      continue;
    }
    zeros(dst, <isize>left * c * size);
    dst += <isize>left * c * size;
    const src = x + (<isize>y * inW + first) * c * from, n = <isize>valid * c;
    if (kind == 0) widen(src, dst, n, z);
    else if (kind == 1 || kind == 4) memory.copy(dst, src, n * size);
    else part(src, dst, n, z, kind == 3);
    dst += n * size;
    zeros(dst, <isize>right * c * size);
    dst += <isize>right * c * size;
  }
}
