// float32 kernels of the optional float engine: two inputs, and the packing of a matrix product.

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

// @ts-ignore: decorator
@inline
function apply(op: i32, a: v128, b: v128): v128 {
  if (op == 0) return f32x4.add(a, b);
  if (op == 1) return f32x4.sub(a, b);
  if (op == 2) return f32x4.mul(a, b);
  if (op == 3) return f32x4.div(a, b);
  if (op == 4) return f32x4.max(a, b);
  if (op == 5) return f32x4.min(a, b);
  // Slope b below zero.
  return v128.bitselect(f32x4.mul(a, b), a, f32x4.lt(a, f32x4.splat(0)));
}

// @ts-ignore: decorator
@inline
function loop(op: i32, a: usize, aStep: usize, b: usize, bStep: usize, y: usize, n: usize): void {
  let i: usize = 0;
  const whole = n & ~3;
  if (aStep && bStep) {
    for (; i < whole; i += 4) v128.store(y + (i << 2), apply(op, v128.load(a + (i << 2)), v128.load(b + (i << 2))));
  } else if (aStep) {
    const v = v128.load32_splat(b);
    for (; i < whole; i += 4) v128.store(y + (i << 2), apply(op, v128.load(a + (i << 2)), v));
  } else {
    const u = v128.load32_splat(a);
    for (; i < whole; i += 4) {
      v128.store(y + (i << 2), apply(op, u, bStep ? v128.load(b + (i << 2)) : v128.load32_splat(b)));
    }
  }
  for (; i < n; i++) {
    const u = v128.load32_splat(a + (aStep ? i << 2 : 0)), v = v128.load32_splat(b + (bStep ? i << 2 : 0));
    v128.store32_lane(y + (i << 2), apply(op, u, v), 0);
  }
}

// rows x n elements, y dense; op: 0 add, 1 sub, 2 mul, 3 div, 4 max, 5 min, 6 slope. Row strides in elements; a step of
// 0 repeats one element, 1 walks. y may be a or b where that walks as y does.
export function binaryF32(
  op: i32, a: usize, aRow: usize, aStep: usize, b: usize, bRow: usize, bStep: usize, y: usize, rows: usize, n: usize,
): void {
  aRow <<= 2;
  bRow <<= 2;
  for (let r: usize = 0; r < rows; r++, a += aRow, b += bRow, y += n << 2) {
    switch (op) {
      case 0: loop(0, a, aStep, b, bStep, y, n); break;
      case 1: loop(1, a, aStep, b, bStep, y, n); break;
      case 2: loop(2, a, aStep, b, bStep, y, n); break;
      case 3: loop(3, a, aStep, b, bStep, y, n); break;
      case 4: loop(4, a, aStep, b, bStep, y, n); break;
      case 5: loop(5, a, aStep, b, bStep, y, n); break;
      default: loop(6, a, aStep, b, bStep, y, n);
    }
  }
}
