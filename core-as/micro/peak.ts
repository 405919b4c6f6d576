// Written by core-as/gen/micro.ts; do not edit.

export function peakDot(n: i32, out: usize): void {
  const ones = v128.load(256);
  let a0 = v128.load(out), a1 = v128.load(out, 16), a2 = v128.load(out, 32), a3 = v128.load(out, 48);
  let b0 = v128.load(out, 64), b1 = v128.load(out, 80);
  let c0 = a0, c1 = a0, c2 = a0, c3 = a0, c4 = a0, c5 = a0, c6 = a0, c7 = a0;
  for (let i: i32 = 0; i < n; i++) {
    b0 = i32x4.add(b0, ones);
    b1 = i32x4.add(b1, ones);
    c0 = i32x4.add(c0, i32x4.dot_i16x8_s(a0, b0));
    c1 = i32x4.add(c1, i32x4.dot_i16x8_s(a0, b1));
    c2 = i32x4.add(c2, i32x4.dot_i16x8_s(a1, b0));
    c3 = i32x4.add(c3, i32x4.dot_i16x8_s(a1, b1));
    c4 = i32x4.add(c4, i32x4.dot_i16x8_s(a2, b0));
    c5 = i32x4.add(c5, i32x4.dot_i16x8_s(a2, b1));
    c6 = i32x4.add(c6, i32x4.dot_i16x8_s(a3, b0));
    c7 = i32x4.add(c7, i32x4.dot_i16x8_s(a3, b1));
  }
  v128.store(out, c0, 96);
  v128.store(out, c1, 112);
  v128.store(out, c2, 128);
  v128.store(out, c3, 144);
  v128.store(out, c4, 160);
  v128.store(out, c5, 176);
  v128.store(out, c6, 192);
  v128.store(out, c7, 208);
}

export function peakRelaxed(n: i32, out: usize): void {
  const ones = v128.load(256);
  let a0 = v128.load(out), a1 = v128.load(out, 16), a2 = v128.load(out, 32), a3 = v128.load(out, 48);
  let b0 = v128.load(out, 64), b1 = v128.load(out, 80);
  let c0 = a0, c1 = a0, c2 = a0, c3 = a0, c4 = a0, c5 = a0, c6 = a0, c7 = a0;
  for (let i: i32 = 0; i < n; i++) {
    b0 = i32x4.add(b0, ones);
    b1 = i32x4.add(b1, ones);
    c0 = i32x4.add(c0, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(a0, b0), ones));
    c1 = i32x4.add(c1, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(a0, b1), ones));
    c2 = i32x4.add(c2, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(a1, b0), ones));
    c3 = i32x4.add(c3, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(a1, b1), ones));
    c4 = i32x4.add(c4, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(a2, b0), ones));
    c5 = i32x4.add(c5, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(a2, b1), ones));
    c6 = i32x4.add(c6, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(a3, b0), ones));
    c7 = i32x4.add(c7, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(a3, b1), ones));
  }
  v128.store(out, c0, 96);
  v128.store(out, c1, 112);
  v128.store(out, c2, 128);
  v128.store(out, c3, 144);
  v128.store(out, c4, 160);
  v128.store(out, c5, 176);
  v128.store(out, c6, 192);
  v128.store(out, c7, 208);
}
