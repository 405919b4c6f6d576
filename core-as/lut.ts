// Look-up tables.

export function lut8(x: usize, y: usize, table: usize, n: usize): void {
  for (let i: usize = 0; i < n; i++) store<u8>(y + i, load<u8>(table + <usize>load<u8>(x + i)));
}

export function lut8to16(x: usize, y: usize, table: usize, n: usize): void {
  for (let i: usize = 0; i < n; i++) {
    store<u16>(y + (i << 1), load<u16>(table + (<usize>load<u8>(x + i) << 1)));
  }
}

// 513 int16 entries, linear between them.
export function lut16(x: usize, y: usize, table: usize, n: usize): void {
  for (let i: usize = 0; i < n; i++) {
    const u = <i32>load<i16>(x + (i << 1)) + 32768;
    const p = table + (<usize>(u >> 7) << 1), r = u & 127;
    const v = (<i32>load<i16>(p) * (128 - r) + <i32>load<i16>(p, 2) * r + 64) >> 7;
    store<i16>(y + (i << 1), <i16>v);
  }
}
