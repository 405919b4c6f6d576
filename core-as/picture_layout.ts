// Layout of pictures of 3 channels, 1 or 4 bytes a value: planes, order of the channels, repetition.

// Interleaved to planes and back, 3 channels of 1 or 4 bytes.
export function planes3(x: usize, y: usize, n: usize): void {
  let i: usize = 0;
  for (; i + 16 <= n; i += 16, x += 48) {
    const a = v128.load(x), b = v128.load(x, 16), c = v128.load(x, 32);
    const p = i8x16.shuffle(a, b, 0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 0, 0, 0, 0, 0);
    const q = i8x16.shuffle(a, b, 1, 4, 7, 10, 13, 16, 19, 22, 25, 28, 31, 0, 0, 0, 0, 0);
    const r = i8x16.shuffle(a, b, 2, 5, 8, 11, 14, 17, 20, 23, 26, 29, 0, 0, 0, 0, 0, 0);
    v128.store(y + i, i8x16.shuffle(p, c, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 17, 20, 23, 26, 29));
    v128.store(y + n + i, i8x16.shuffle(q, c, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 18, 21, 24, 27, 30));
    v128.store(y + 2 * n + i, i8x16.shuffle(r, c, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 19, 22, 25, 28, 31));
  }
  for (; i < n; i++, x += 3) {
    store<u8>(y + i, load<u8>(x));
    store<u8>(y + n + i, load<u8>(x, 1));
    store<u8>(y + 2 * n + i, load<u8>(x, 2));
  }
}

export function planes3F32(x: usize, y: usize, n: usize): void {
  let i: usize = 0;
  for (; i + 4 <= n; i += 4, x += 48) {
    const a = v128.load(x), b = v128.load(x, 16), c = v128.load(x, 32), at = y + (i << 2);
    v128.store(at, i32x4.shuffle(i32x4.shuffle(a, b, 0, 3, 6, 6), c, 0, 1, 2, 5));
    v128.store(at + (n << 2), i32x4.shuffle(i32x4.shuffle(a, b, 1, 4, 7, 7), c, 0, 1, 2, 6));
    v128.store(at + (n << 3), i32x4.shuffle(i32x4.shuffle(a, b, 2, 5, 5, 5), c, 0, 1, 4, 7));
  }
  for (; i < n; i++, x += 12) {
    const at = y + (i << 2);
    store<f32>(at, load<f32>(x));
    store<f32>(at + (n << 2), load<f32>(x, 4));
    store<f32>(at + (n << 3), load<f32>(x, 8));
  }
}

export function pixels3(x: usize, y: usize, n: usize): void {
  let i: usize = 0;
  for (; i + 16 <= n; i += 16, y += 48) {
    const a = v128.load(x + i), b = v128.load(x + n + i), c = v128.load(x + 2 * n + i);
    const p = i8x16.shuffle(a, b, 0, 16, 0, 1, 17, 0, 2, 18, 0, 3, 19, 0, 4, 20, 0, 5);
    v128.store(y, i8x16.shuffle(p, c, 0, 1, 16, 3, 4, 17, 6, 7, 18, 9, 10, 19, 12, 13, 20, 15));
    const q = i8x16.shuffle(a, b, 21, 0, 6, 22, 0, 7, 23, 0, 8, 24, 0, 9, 25, 0, 10, 26);
    v128.store(y, i8x16.shuffle(q, c, 0, 21, 2, 3, 22, 5, 6, 23, 8, 9, 24, 11, 12, 25, 14, 15), 16);
    const r = i8x16.shuffle(a, b, 0, 11, 27, 0, 12, 28, 0, 13, 29, 0, 14, 30, 0, 15, 31, 0);
    v128.store(y, i8x16.shuffle(r, c, 26, 1, 2, 27, 4, 5, 28, 7, 8, 29, 10, 11, 30, 13, 14, 31), 32);
  }
  for (; i < n; i++, y += 3) {
    store<u8>(y, load<u8>(x + i));
    store<u8>(y, load<u8>(x + n + i), 1);
    store<u8>(y, load<u8>(x + 2 * n + i), 2);
  }
}

export function pixels3F32(x: usize, y: usize, n: usize): void {
  let i: usize = 0;
  for (; i + 4 <= n; i += 4, y += 48) {
    const at = x + (i << 2), a = v128.load(at), b = v128.load(at + (n << 2)), c = v128.load(at + (n << 3));
    v128.store(y, i32x4.shuffle(i32x4.shuffle(a, b, 0, 4, 0, 1), c, 0, 1, 4, 3));
    v128.store(y, i32x4.shuffle(i32x4.shuffle(a, b, 5, 0, 2, 6), c, 0, 5, 2, 3), 16);
    v128.store(y, i32x4.shuffle(i32x4.shuffle(a, b, 3, 3, 7, 7), c, 6, 0, 2, 7), 32);
  }
  for (; i < n; i++, y += 12) {
    const at = x + (i << 2);
    store<f32>(y, load<f32>(at));
    store<f32>(y, load<f32>(at + (n << 2)), 4);
    store<f32>(y, load<f32>(at + (n << 3)), 8);
  }
}

// Red and blue change places: 16 pixels a step, each 48 bytes in three vectors.
export function swap3(x: usize, y: usize, n: usize): void {
  let i: usize = 0;
  for (; i + 16 <= n; i += 16, x += 48, y += 48) {
    const a = v128.load(x), b = v128.load(x, 16), c = v128.load(x, 32);
    v128.store(y, i8x16.shuffle(a, b, 2, 1, 0, 5, 4, 3, 8, 7, 6, 11, 10, 9, 14, 13, 12, 17));
    const m = i8x16.shuffle(a, c, 0, 15, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16, 0);
    v128.store(y, i8x16.shuffle(b, m, 0, 17, 4, 3, 2, 7, 6, 5, 10, 9, 8, 13, 12, 11, 30, 15), 16);
    v128.store(y, i8x16.shuffle(b, c, 14, 19, 18, 17, 22, 21, 20, 25, 24, 23, 28, 27, 26, 31, 30, 29), 32);
  }
  for (; i < n; i++, x += 3, y += 3) {
    store<u8>(y, load<u8>(x, 2));
    store<u8>(y, load<u8>(x, 1), 1);
    store<u8>(y, load<u8>(x), 2);
  }
}

export function swap3F32(x: usize, y: usize, n: usize): void {
  let i: usize = 0;
  for (; i + 4 <= n; i += 4, x += 48, y += 48) {
    const a = v128.load(x), b = v128.load(x, 16), c = v128.load(x, 32);
    v128.store(y, i32x4.shuffle(a, b, 2, 1, 0, 5));
    v128.store(y, i32x4.shuffle(i32x4.shuffle(a, b, 3, 4, 7, 7), c, 1, 0, 4, 3), 16);
    v128.store(y, i32x4.shuffle(b, c, 2, 7, 6, 5), 32);
  }
  for (; i < n; i++, x += 12, y += 12) {
    store<f32>(y, load<f32>(x, 8));
    store<f32>(y, load<f32>(x, 4), 4);
    store<f32>(y, load<f32>(x), 8);
  }
}

// One channel to three equal ones.
export function repeat3(x: usize, y: usize, n: usize): void {
  let i: usize = 0;
  for (; i + 16 <= n; i += 16, y += 48) {
    const a = v128.load(x + i);
    v128.store(y, i8x16.shuffle(a, a, 0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5));
    v128.store(y, i8x16.shuffle(a, a, 5, 5, 6, 6, 6, 7, 7, 7, 8, 8, 8, 9, 9, 9, 10, 10), 16);
    v128.store(y, i8x16.shuffle(a, a, 10, 11, 11, 11, 12, 12, 12, 13, 13, 13, 14, 14, 14, 15, 15, 15), 32);
  }
  for (; i < n; i++, y += 3) {
    const v = load<u8>(x + i);
    store<u8>(y, v);
    store<u8>(y, v, 1);
    store<u8>(y, v, 2);
  }
}

export function repeat3F32(x: usize, y: usize, n: usize): void {
  let i: usize = 0;
  for (; i + 4 <= n; i += 4, y += 48) {
    const a = v128.load(x + (i << 2));
    v128.store(y, i32x4.shuffle(a, a, 0, 0, 0, 1));
    v128.store(y, i32x4.shuffle(a, a, 1, 1, 2, 2), 16);
    v128.store(y, i32x4.shuffle(a, a, 2, 3, 3, 3), 32);
  }
  for (; i < n; i++, y += 12) {
    const v = load<f32>(x + (i << 2));
    store<f32>(y, v);
    store<f32>(y, v, 4);
    store<f32>(y, v, 8);
  }
}
