// Product of two feature maps: the right operand as weight panels for the dense tiles.

// [K][N] int8 minus z to [panel][step][8 columns][2 rows] int16, zero padded.
export function packRight(b: usize, dst: usize, K: usize, N: usize, z: i32): void {
  const zs = i16x8.splat(<i16>z), none = i16x8.splat(0);
  for (let n: usize = 0; n < N; n += 8) {
    for (let k: usize = 0; k < K; k += 2, dst += 32) {
      const p = b + k * N + n;
      if (n + 8 <= N) {
        const u = i16x8.sub(v128.load_ext<i8>(p), zs);
        const v = k + 1 < K ? i16x8.sub(v128.load_ext<i8>(p + N), zs) : none;
        v128.store(dst, i16x8.shuffle(u, v, 0, 8, 1, 9, 2, 10, 3, 11));
        v128.store(dst, i16x8.shuffle(u, v, 4, 12, 5, 13, 6, 14, 7, 15), 16);
      } else {
        for (let c: usize = 0; c < 8; c++) {
          const inside = n + c < N;
          store<i16>(dst + (c << 2), inside ? <i16>(<i32>load<i8>(p + c) - z) : 0);
          store<i16>(dst + (c << 2) + 2, inside && k + 1 < K ? <i16>(<i32>load<i8>(p + N + c) - z) : 0);
        }
      }
    }
  }
}
