// Between float32 and integers (docs/arithmetic.md section 2).

// @ts-ignore: decorator
@inline
function quantize(x: f32, scale: f64, z: f64, lo: f64, hi: f64, even: i32): f64 {
  const v = <f64>x / scale;
  if (v != v) return z;
  const a = floor<f64>(abs<f64>(v) + 0.5);
  const q = (even ? nearest<f64>(v) : v < 0 ? -a : a) + z;
  return q < lo ? lo : q > hi ? hi : q;
}

// [outer][channels] with one scale per channel when channels > 1, else one scale. yt: 0 int8, 1 uint8, 2 int16, 3 int32.
export function quantizeF32(
  x: usize, y: usize, yt: i32, outer: usize, channels: usize, scales: usize, perChannel: i32,
  z: i32, lo: i32, hi: i32, even: i32,
): void {
  let i: usize = 0;
  for (let o: usize = 0; o < outer; o++) {
    for (let c: usize = 0; c < channels; c++, i++) {
      const s = <f64>load<f32>(scales + (perChannel ? c << 2 : 0));
      const q = <i32>quantize(load<f32>(x + (i << 2)), s, z, lo, hi, even);
      if (yt <= 1) store<u8>(y + i, <u8>q);
      else if (yt == 2) store<i16>(y + (i << 1), <i16>q);
      else store<i32>(y + (i << 2), q);
    }
  }
}

export function dequantizeF32(
  x: usize, xt: i32, y: usize, outer: usize, channels: usize, scales: usize, perChannel: i32, z: i32,
): void {
  let i: usize = 0;
  for (let o: usize = 0; o < outer; o++) {
    for (let c: usize = 0; c < channels; c++, i++) {
      const s = load<f32>(scales + (perChannel ? c << 2 : 0));
      const v: i64 = xt == 0
        ? <i64>load<i8>(x + i)
        : xt == 1
        ? <i64>load<u8>(x + i)
        : xt == 2
        ? <i64>load<i16>(x + (i << 1))
        : <i64>load<i32>(x + (i << 2));
      store<f32>(y + (i << 2), <f32>(v - z) * s);
    }
  }
}

export function fakeQuantizeF32(
  x: usize, y: usize, outer: usize, channels: usize, scales: usize, perChannel: i32,
  z: i32, lo: i32, hi: i32, even: i32,
): void {
  let i: usize = 0;
  for (let o: usize = 0; o < outer; o++) {
    for (let c: usize = 0; c < channels; c++, i++) {
      const s = load<f32>(scales + (perChannel ? c << 2 : 0));
      const q = quantize(load<f32>(x + (i << 2)), s, z, lo, hi, even);
      store<f32>(y + (i << 2), <f32>(q - z) * s);
    }
  }
}
