// Shared inline helpers. Element types travel as codes: 0 int8, 1 uint8, 2 int16, 3 int32.

// @ts-ignore: decorator
@inline
export function at<T>(p: usize, i: usize): T {
  return load<T>(p + i * sizeof<T>());
}

// @ts-ignore: decorator
@inline
export function put<T>(p: usize, i: usize, v: i64): void {
  store<T>(p + i * sizeof<T>(), <T>v);
}

// @ts-ignore: decorator
@inline
export function half(s: i64): i64 {
  return s > 0 ? (<i64>1) << (s - 1) : 0;
}

// @ts-ignore: decorator
@inline
export function clamp64(v: i64, lo: i64, hi: i64): i64 {
  return v < lo ? lo : v > hi ? hi : v;
}

// Element by type code, for loops where speed does not matter.
// @ts-ignore: decorator
@inline
export function get(p: usize, i: usize, t: i32): i32 {
  if (t == 0) return <i32>load<i8>(p + i);
  if (t == 1) return <i32>load<u8>(p + i);
  if (t == 2) return <i32>load<i16>(p + (i << 1));
  return load<i32>(p + (i << 2));
}

// @ts-ignore: decorator
@inline
export function set(p: usize, i: usize, t: i32, v: i32): void {
  if (t <= 1) store<u8>(p + i, <u8>v);
  else if (t == 2) store<i16>(p + (i << 1), <i16>v);
  else store<i32>(p + (i << 2), v);
}
