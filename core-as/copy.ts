// Strided copies: transpose, slice, split, concat, pad, expand and tile are all this.

import { transpose1, transpose2, transpose4 } from "./transpose_tiles";

// The shape block: 32-bit words at `d`: rank, dims[8], srcStrides[8], dstStrides[8] (bytes, may be negative).

// @ts-ignore: decorator
@inline
function word(d: usize, i: usize): isize {
  return <isize>load<i32>(d + (i << 2));
}

// @ts-ignore: decorator
@inline
function line<T>(src: usize, dst: usize, n: isize, ss: isize, ds: isize): void {
  for (let i: isize = 0; i < n; i++, src += ss, dst += ds) store<T>(dst, load<T>(src));
}

// rows x cols elements: dst[i * ds + j] = src[i + j * ss], strides in bytes.
function transpose(src: usize, dst: usize, rows: isize, cols: isize, ss: isize, ds: isize, bytes: i32): void {
  const n: isize = 16 / bytes;
  // Panels of 64 bytes of source lines keep the lines in the cache between tiles.
  const wide: isize = 64 / bytes;
  for (let i0: isize = 0; i0 < rows; i0 += wide) {
    const i1 = min<isize>(rows, i0 + wide);
    let j: isize = 0;
    for (; j + n <= cols; j += n) {
      let i = i0;
      for (; i + n <= i1; i += n) {
        const s = src + i * bytes + j * ss, d = dst + i * ds + j * bytes;
        if (bytes == 1) transpose1(s, ss, d, ds);
        else if (bytes == 2) transpose2(s, ss, d, ds);
        else transpose4(s, ss, d, ds);
      }
      for (; i < i1; i++) edge(src + i * bytes + j * ss, dst + i * ds + j * bytes, n, ss, bytes);
    }
    // The last columns (all of a picture's three) go one by one: long runs of neighbours in the source.
    for (; j < cols; j++) column(src + i0 * bytes + j * ss, dst + i0 * ds + j * bytes, i1 - i0, ds, bytes);
  }
}

// @ts-ignore: decorator
@inline
function edge(src: usize, dst: usize, n: isize, ss: isize, bytes: i32): void {
  if (bytes == 1) line<u8>(src, dst, n, ss, 1);
  else if (bytes == 2) line<u16>(src, dst, n, ss, 2);
  else line<u32>(src, dst, n, ss, 4);
}

// @ts-ignore: decorator
@inline
function column(src: usize, dst: usize, n: isize, ds: isize, bytes: i32): void {
  if (bytes == 1) line<u8>(src, dst, n, 1, ds);
  else if (bytes == 2) line<u16>(src, dst, n, 2, ds);
  else line<u32>(src, dst, n, 4, ds);
}

export function copyStrided(src: usize, dst: usize, d: usize, bytes: i32, depth: i32): void {
  const n = word(d, 1 + depth), ss = word(d, 9 + depth), ds = word(d, 17 + depth);
  const rank = <i32>word(d, 0);
  if (depth + 2 == rank && bytes < 8 && ss == bytes && word(d, 18 + depth) == bytes && word(d, 10 + depth) > 0) {
    transpose(src, dst, n, word(d, 2 + depth), word(d, 10 + depth), ds, bytes);
    return;
  }
  if (depth + 1 < rank) {
    for (let i: isize = 0; i < n; i++) copyStrided(src + i * ss, dst + i * ds, d, bytes, depth + 1);
    return;
  }
  if (ss == bytes && ds == bytes) {
    const size = n * bytes;
    if (size >= 64) {
      memory.copy(dst, src, size);
      return;
    }
    let i: isize = 0;
    for (; i + 16 <= size; i += 16) v128.store(dst + i, v128.load(src + i));
    for (; i < size; i++) store<u8>(dst + i, load<u8>(src + i));
    return;
  }
  if (bytes == 1) line<u8>(src, dst, n, ss, ds);
  else if (bytes == 2) line<u16>(src, dst, n, ss, ds);
  else if (bytes == 4) line<u32>(src, dst, n, ss, ds);
  else line<u64>(src, dst, n, ss, ds);
}

export function fill(dst: usize, n: usize, bytes: i32, lo: i32, hi: i32): void {
  if (bytes == 1) memory.fill(dst, <u8>lo, n);
  else if (bytes == 2) for (let i: usize = 0; i < n; i++) store<u16>(dst + (i << 1), <u16>lo);
  else if (bytes == 4) for (let i: usize = 0; i < n; i++) store<u32>(dst + (i << 2), lo);
  else {
    for (let i: usize = 0; i < n; i++) {
      store<u32>(dst + (i << 3), lo);
      store<u32>(dst + (i << 3), hi, 4);
    }
  }
}
