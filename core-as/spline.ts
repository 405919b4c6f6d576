// Resize along one direction with splines, two lines at a time, in binary64 step by step as spline_ref.ts writes it:
// smoothing over mirrored borders, the recursive filter that makes coefficients, weighted sums.

// x: blocks of `from` values `step` apart for each of `step` lines; y the same with `to`. work: (2 * from + 2 * radius) * 16
// bytes. mirrors: `radius` indices before the line, `radius` behind it. poles: pole and pole^(from - 1), pair by pair.
export function splineAlong(
  x: usize, y: usize, work: usize, blocks: usize, from: usize, to: usize, step: usize,
  radius: usize, mirrors: usize, kernel: usize, total: f64,
  taps: usize, index: usize, weight: usize, poles: usize, poleCount: usize,
): void {
  const line = work + ((from + 2 * radius) << 4), last = line + ((from - 1) << 4), t = f64x2.splat(total);
  for (let b: usize = 0; b < blocks; b++) {
    for (let s: usize = 0; s < step; s += 2) {
      let at = x + ((b * from * step + s) << 3);
      const into = radius > 0 ? work + (radius << 4) : line;
      for (let i: usize = 0; i < from; i++, at += step << 3) v128.store(into + (i << 4), v128.load(at));
      if (radius > 0) {
        for (let i: usize = 0; i < radius; i++) {
          const p = <usize>load<i32>(mirrors + (i << 2)), q = <usize>load<i32>(mirrors + ((radius + i) << 2));
          v128.store(work + (i << 4), v128.load(into + (p << 4)));
          v128.store(into + ((from + i) << 4), v128.load(into + (q << 4)));
        }
        for (let i: usize = 0; i < from; i++) {
          let sum = f64x2.splat(0);
          for (let k: usize = 0; k <= 2 * radius; k++) {
            sum = f64x2.add(sum, f64x2.mul(v128.load64_splat(kernel + (k << 3)), v128.load(work + ((i + k) << 4))));
          }
          v128.store(line + (i << 4), f64x2.div(sum, t));
        }
      }
      if (from > 1) {
        for (let p: usize = 0; p < poleCount; p++) {
          const z = load<f64>(poles + (p << 4)), gain = (1 - z) * (1 - 1 / z), vz = f64x2.splat(z);
          for (let i = line; i <= last; i += 16) v128.store(i, f64x2.mul(v128.load(i), f64x2.splat(gain)));
          let zn = z, z2n = load<f64>(poles + (p << 4), 8);
          let sum = f64x2.add(v128.load(line), f64x2.mul(f64x2.splat(z2n), v128.load(last)));
          z2n *= z2n / z;
          for (let i = line + 16; i < last; i += 16) {
            sum = f64x2.add(sum, f64x2.mul(f64x2.splat(zn + z2n), v128.load(i)));
            zn *= z;
            z2n /= z;
          }
          let v = f64x2.div(sum, f64x2.splat(1 - zn * zn));
          v128.store(line, v);
          for (let i = line + 16; i <= last; i += 16) {
            v = f64x2.add(v128.load(i), f64x2.mul(vz, v));
            v128.store(i, v);
          }
          v = f64x2.mul(
            f64x2.splat(z / (z * z - 1)),
            f64x2.add(f64x2.mul(vz, v128.load(last - 16)), v128.load(last)));
          v128.store(last, v);
          for (let i = last - 16; i >= line; i -= 16) {
            v = f64x2.mul(vz, f64x2.sub(v, v128.load(i)));
            v128.store(i, v);
          }
        }
      }
      let out = y + ((b * to * step + s) << 3);
      const both = s + 1 < step;
      for (let o: usize = 0; o < to; o++, out += step << 3) {
        let sum = f64x2.splat(0);
        for (let k = o * taps; k < (o + 1) * taps; k++) {
          const v = v128.load(line + (<usize>load<i32>(index + (k << 2)) << 4));
          sum = f64x2.add(sum, f64x2.mul(v128.load64_splat(weight + (k << 3)), v));
        }
        if (both) v128.store(out, sum);
        else v128.store64_lane(out, sum, 0);
      }
    }
  }
}
