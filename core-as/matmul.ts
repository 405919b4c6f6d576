// Product of two feature maps, [M][K] x [K][N] with one multiplier: the plain form.
import { clamp64, half, set } from "./common";

export function matmulGeneric(
  a: usize, b: usize, y: usize, M: usize, K: usize, N: usize,
  yt: i32, az: i32, bz: i32, yz: i32, m: i32, s: i32, lo: i32, hi: i32,
): void {
  const r = half(s);
  for (let i: usize = 0; i < M; i++) {
    for (let j: usize = 0; j < N; j++) {
      let acc: i64 = 0;
      for (let k: usize = 0; k < K; k++) {
        acc += <i64>((<i32>load<i8>(a + i * K + k) - az) * (<i32>load<i8>(b + k * N + j) - bz));
      }
      const q = yt == 3 ? acc : ((acc * m + r) >> s) + yz;
      set(y, i * N + j, yt, <i32>clamp64(q, lo, hi));
    }
  }
}
