// Strided copies: transpose, slice, split, concat, pad, expand and tile are all this.

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

export function copyStrided(src: usize, dst: usize, d: usize, bytes: i32, depth: i32): void {
  const n = word(d, 1 + depth), ss = word(d, 9 + depth), ds = word(d, 17 + depth);
  if (depth + 1 < <i32>word(d, 0)) {
    for (let i: isize = 0; i < n; i++) copyStrided(src + i * ss, dst + i * ds, d, bytes, depth + 1);
    return;
  }
  if (ss == bytes && ds == bytes) {
    memory.copy(dst, src, n * bytes);
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
