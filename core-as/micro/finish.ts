// The slow end of a tile: any shift, any output type, any number of channels.

// The finish block: 32-bit words: 0 mul (i16), 1 shift (i8), 2 yType, 3 yZero, 4 qmin, 5 qmax, 6 first channel.

// @ts-ignore: decorator
@inline
function word(f: usize, i: usize): i32 {
  return load<i32>(f + (i << 2));
}

// @ts-ignore: decorator
@inline
function emit(acc: i64, c: i32, y: usize, f: usize): void {
  const lo = <i64>word(f, 4), hi = <i64>word(f, 5), t = word(f, 2);
  let q = acc;
  if (t != 3) {
    const s = <i64>load<i8>(<usize>word(f, 1) + c);
    const m = <i64>load<i16>(<usize>word(f, 0) + (<usize>c << 1));
    q = ((acc * m + (s > 0 ? (<i64>1) << (s - 1) : 0)) >> s) + <i64>word(f, 3);
  }
  q = q < lo ? lo : q > hi ? hi : q;
  if (t == 0) store<i8>(y, <i8>q);
  else if (t == 2) store<i16>(y, <i16>q);
  else store<i32>(y, <i32>q);
}

// @ts-ignore: decorator
@inline
function log2(t: i32): usize {
  return t == 0 ? 0 : t == 2 ? 1 : 2;
}

// pixels x channels accumulators at tile, \`row\` bytes per pixel; results at y + yo[pixel].
export function finishTile(
  tile: usize, yo: usize, pixels: i32, channels: i32, row: usize, y: usize, f: usize,
): void {
  const first = word(f, 6), size = log2(word(f, 2));
  for (let p: i32 = 0; p < pixels; p++) {
    const out = y + <usize>load<u32>(yo + (<usize>p << 2));
    for (let c: i32 = 0; c < channels; c++) {
      emit(<i64>load<i32>(tile + <usize>p * row + (<usize>c << 2)), first + c, out + (<usize>c << size), f);
    }
  }
}

// The same for int16 activations: bias + low + 256 * high.
export function finishWide(
  low: usize, high: usize, bias: usize, yo: usize, pixels: i32, channels: i32, row: usize, y: usize, f: usize,
): void {
  const first = word(f, 6), size = log2(word(f, 2));
  for (let p: i32 = 0; p < pixels; p++) {
    const out = y + <usize>load<u32>(yo + (<usize>p << 2));
    for (let c: i32 = 0; c < channels; c++) {
      const at = <usize>p * row + (<usize>c << 2);
      const acc = <i64>load<i32>(low + at) + ((<i64>load<i32>(high + at)) << 8) +
        <i64>load<i32>(bias + (<usize>c << 2));
      emit(acc, first + c, out + (<usize>c << size), f);
    }
  }
}
