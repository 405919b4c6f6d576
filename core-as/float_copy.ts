// Copies of short rows of float32: concatenation, slices, pads and blocks of pictures.

// @ts-ignore: decorator
@inline
function word(d: usize, i: usize): isize {
  return <isize>load<i32>(d + (i << 2));
}

// The block: 32-bit words: rank (2 to 8), dims[8], srcStrides[8], dstStrides[8] (bytes); the last dimension is dense.
export function copyRowsF32(src: usize, dst: usize, d: usize, depth: i32): void {
  const rank = <i32>word(d, 0), count = word(d, 1 + depth), ss = word(d, 9 + depth), ds = word(d, 17 + depth);
  if (depth + 2 < rank) {
    for (let i: isize = 0; i < count; i++) copyRowsF32(src + i * ss, dst + i * ds, d, depth + 1);
    return;
  }
  const size = word(d, 2 + depth) << 2;
  if (size >= 1024) {
    for (let i: isize = 0; i < count; i++, src += ss, dst += ds) memory.copy(dst, src, size);
    return;
  }
  const whole = size & ~15;
  for (let i: isize = 0; i < count; i++, src += ss, dst += ds) {
    let k: isize = 0;
    for (; k < whole; k += 16) v128.store(dst + k, v128.load(src + k));
    for (; k < size; k += 4) store<u32>(dst + k, load<u32>(src + k));
  }
}
